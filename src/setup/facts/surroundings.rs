//! What facts are made of besides files: the environment, what systemd answers and what NVML says.

use std::collections::BTreeMap;

use crate::model::{Absent, Architecture, Fact, Gpu, Inventory, Metric, Sample};

/// The environment variables that facts are made of.
pub const VARIABLES: &[&str] = &["CUDA_HOME", "CUDA_PATH", "LD_LIBRARY_PATH", "PATH"];

/// Everything that is not a file below the root, handed in by whoever may ask for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Surroundings {
    /// The variables of [`VARIABLES`] that are set.
    pub environment: BTreeMap<String, String>,
    /// The machine's architecture as `uname` names it, for where no file tells.
    pub machine: Fact<String>,
    /// What `systemctl show` printed for [`super::SERVICES`] and [`super::UNIT_PROPERTIES`].
    pub systemctl: Fact<String>,
    /// What NVML says.
    pub nvml: Fact<Nvml>,
}

impl Default for Surroundings {
    /// Nothing is known.
    fn default() -> Self {
        Self {
            environment: BTreeMap::new(),
            machine: Err(Absent::NotFound),
            systemctl: Err(Absent::NotFound),
            nvml: Err(Absent::NotFound),
        }
    }
}

impl Surroundings {
    /// A variable; an empty one counts as unset, as the programs that read these take it.
    pub(super) fn variable(&self, name: &str) -> Fact<&str> {
        let value = self.environment.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty()).ok_or(Absent::NotFound)
    }
}

/// What NVML says of the driver and its GPUs.
#[derive(Clone, Debug, PartialEq)]
pub struct Nvml {
    /// The newest CUDA that the driver supports, such as `13.0`.
    pub cuda_version: Fact<String>,
    /// The GPUs.
    pub gpus: Vec<NvmlGpu>,
}

/// What NVML says of a GPU.
#[derive(Clone, Debug, PartialEq)]
pub struct NvmlGpu {
    /// NVML's index.
    pub index: u32,
    /// `GPU-…`.
    pub uuid: Fact<String>,
    /// PCI address in the kernel's form.
    pub pci_bus_id: Fact<String>,
    /// The product's name.
    pub name: Fact<String>,
    /// The architecture.
    pub architecture: Fact<Architecture>,
    /// CUDA compute capability, major and minor.
    pub compute_capability: Fact<(i32, i32)>,
    /// Whether it is divided into MIG instances.
    pub mig: Fact<bool>,
    /// Whether the driver keeps it set up while nobody uses it.
    pub persistence_mode: Fact<bool>,
}

impl Nvml {
    /// What an inventory and a sample of it hold. Those of a demo say nothing about this machine.
    ///
    /// # Errors
    /// [`Absent::Simulated`] of a demo.
    pub fn of(inventory: &Inventory, sample: &Sample) -> Fact<Self> {
        if inventory.origin != crate::model::Origin::Nvml {
            return Err(Absent::Simulated);
        }
        let modes = sample
            .gpus
            .iter()
            .map(|gpu| gpu.values.get(Metric::PersistenceMode).value.map(|mode| mode != 0.0));
        let modes = modes.chain(std::iter::repeat(Err(Absent::NotReadYet)));
        Ok(Self {
            cuda_version: inventory.driver.cuda_version.clone(),
            gpus: inventory.gpus.iter().zip(modes).map(|(gpu, mode)| nvml_gpu(gpu, mode)).collect(),
        })
    }
}

fn nvml_gpu(gpu: &Gpu, persistence_mode: Fact<bool>) -> NvmlGpu {
    NvmlGpu {
        index: gpu.index,
        uuid: gpu.uuid.clone(),
        pci_bus_id: gpu.pci_bus_id.clone(),
        name: gpu.name.clone(),
        architecture: gpu.architecture,
        compute_capability: gpu.compute_capability,
        mig: gpu.mig,
        persistence_mode,
    }
}

#[cfg(test)]
mod tests {
    use super::Nvml;
    use crate::model::{
        Absent, Driver, Events, Gpu, GpuSample, GpuState, Host, HostMetric, Inventory, Metric,
        Origin, Sample, Values,
    };

    fn inventory(origin: Origin) -> Inventory {
        let unknown = || Err(Absent::Unknown);
        Inventory {
            generation: 1,
            origin,
            host: Host { name: "tower".to_owned(), kernel: unknown() },
            driver: Driver {
                version: unknown(),
                nvml_version: unknown(),
                cuda_version: Ok("13.0".to_owned()),
                kernel_module: Err(Absent::Unknown),
                library: unknown(),
                confidential_compute: Err(Absent::Unknown),
            },
            gpus: vec![Gpu::unknown(0, Absent::Stuck), Gpu::unknown(1, Absent::Stuck)],
            topology: Vec::new(),
        }
    }

    #[test]
    fn a_gpus_persistence_mode_comes_from_the_sample() {
        let inventory = inventory(Origin::Nvml);
        let mut values = Values::absent(inventory.gpus[0].layout, Absent::LeftOut, 0);
        values.instances_mut(Metric::PersistenceMode)[0].value = Ok(1.0);
        let mut sample = Sample {
            generation: 1,
            unix_us: 0,
            monotonic_us: 0,
            gpus: vec![GpuSample { state: GpuState::Live, values }],
            processes: Vec::new(),
            host: [Err(Absent::LeftOut); HostMetric::COUNT],
            errors: Vec::new(),
            events: Events::default(),
        };
        let modes = |sample: &Sample| {
            let nvml = Nvml::of(&inventory, sample).unwrap();
            assert_eq!(nvml.cuda_version.as_deref(), Ok("13.0"));
            nvml.gpus.iter().map(|gpu| gpu.persistence_mode).collect::<Vec<_>>()
        };
        assert_eq!(modes(&sample), [Ok(true), Err(Absent::NotReadYet)]);
        sample.gpus[0].values.forget(Absent::Stale);
        assert_eq!(modes(&sample), [Err(Absent::Stale), Err(Absent::NotReadYet)]);
        let demo = super::Inventory { origin: Origin::Demo("one"), ..inventory.clone() };
        assert_eq!(Nvml::of(&demo, &sample), Err(Absent::Simulated));
    }
}

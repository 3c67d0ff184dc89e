//! The metric tables: one row per number. Sampling, JSON, help and (later) panes are made from the rows.

use std::fmt;

use super::unit::Unit;

/// How a metric's readings follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A level that goes up and down.
    Gauge,
    /// A level that the driver measures while it is asked, so that the answer takes a while.
    Measured,
    /// A total that only grows until the driver is reloaded.
    Counter,
    /// Lasting: read once, and again when the driver changes.
    Fact,
    /// What [`super::derive()`] makes from two readings of a counter: its growth per second.
    RateOf(Metric),
    /// A mean over the time since the previous reading, which the producer itself remembers.
    Interval,
}

impl Kind {
    /// Whether the first reading of a series cannot have a value.
    #[must_use]
    pub const fn needs_two_readings(self) -> bool {
        matches!(self, Self::RateOf(_) | Self::Interval)
    }
}

/// How the number comes about, to stand after `It is`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Gauge => "what the driver says at the moment",
            Self::Measured => "measured by the driver while it is asked",
            Self::Counter => "a total that grows until the driver is reloaded",
            Self::Fact => "lasting, and read once",
            Self::Interval => "a mean over the time since the previous reading",
            Self::RateOf(counter) => {
                return write!(
                    f,
                    "the growth of {} in a second, from two readings",
                    counter.spec().id
                );
            }
        };
        f.write_str(text)
    }
}

/// What there is one of for each value of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// One value for the subject.
    One,
    /// One value for each fan of the GPU; `{}` in the id is the fan's number.
    Fan,
    /// One value for each NVLink of the GPU; `{}` in the id is the link's number.
    NvLink,
    /// One value for each GPU instance that MIG has made; `{}` in the id is its position among them.
    GpuInstance,
}

impl Per {
    /// How many slots a metric has on a GPU with these parts. Where there is none, one slot holds the reason.
    fn slots(self, instances: Instances) -> u16 {
        let (count, most) = match self {
            Self::One => (1, 1),
            Self::Fan => (instances.fans, Instances::MOST.fans),
            Self::NvLink => (instances.nvlinks, Instances::MOST.nvlinks),
            Self::GpuInstance => (instances.gpu_instances, Instances::MOST.gpu_instances),
        };
        count.clamp(1, most)
    }
}

/// How many parts of each kind a GPU has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instances {
    /// Fans.
    pub fans: u16,
    /// NVLinks, also those that are down.
    pub nvlinks: u16,
    /// GPU instances that MIG has made.
    pub gpu_instances: u16,
}

impl Instances {
    /// More than any board has; a driver that claims more is not believed.
    pub const MOST: Self = Self { fans: 32, nvlinks: 64, gpu_instances: 16 };
}

/// Where a metric stands on a page that shows all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// How busy the parts of the GPU are.
    Load,
    /// The memory of the GPU.
    Memory,
    /// Power, temperature and fans.
    PowerAndHeat,
    /// Clocks and what limits them.
    Clocks,
    /// PCIe.
    Links,
    /// The machine around the GPUs.
    Host,
    /// A process on a GPU.
    Process,
}

/// For how long a metric's readings are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum History {
    /// Only the newest.
    Newest,
    /// Ten minutes, every reading.
    TenMinutes,
    /// A day; beyond ten minutes as minimum, mean and maximum.
    Day,
}

/// One row of a metric table.
#[derive(Clone, Copy, Debug)]
pub struct MetricSpec {
    /// The key in JSON, with the unit as its ending.
    pub id: &'static str,
    /// A short name for the screen.
    pub label: &'static str,
    /// What the number is, in one paragraph.
    pub help: &'static str,
    /// What the number counts.
    pub unit: Unit,
    /// How readings follow one another.
    pub kind: Kind,
    /// What there is one value of.
    pub per: Per,
    /// Where it stands.
    pub group: Group,
    /// For how long its readings are kept.
    pub history: History,
}

/// Any of the metric tables.
pub trait TableMetric: Copy + 'static {
    /// Every metric of the table, in its order.
    const ALL: &'static [Self];
    /// The metric's row.
    fn spec(self) -> &'static MetricSpec;
}

/// Declares a table: an enum whose discriminants are its row numbers.
macro_rules! metrics {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $help:literal])+
               $variant:ident = $id:literal, $label:literal, $unit:ident, $kind:ident $( ( $counter:expr ) )?, $per:ident, $group:ident, $history:ident; )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[doc = $help])+ $variant, )+ }

        impl $name {
            /// Every metric of the table, in its order.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),+];
            /// How many rows the table has.
            pub const COUNT: usize = Self::ALL.len();

            const SPECS: &'static [MetricSpec] = {
                &[$( MetricSpec {
                    id: $id,
                    label: $label,
                    help: concat!($( $help ),+).trim_ascii_start(),
                    unit: Unit::$unit,
                    kind: Kind::$kind $( ( $counter ) )?,
                    per: Per::$per,
                    group: Group::$group,
                    history: History::$history,
                } ),+]
            };

            /// The metric's row.
            #[must_use]
            pub const fn spec(self) -> &'static MetricSpec {
                &Self::SPECS[self as usize]
            }
        }

        impl TableMetric for $name {
            const ALL: &'static [Self] = Self::ALL;
            fn spec(self) -> &'static MetricSpec { self.spec() }
        }
    };
}

metrics! {
    /// A number that a GPU reports about itself.
    Metric {
        /// Share of the last sample period (1/6 s to 1 s, by product) in which at least one kernel was resident. It says that the GPU was busy, not how full it was.
        Busy = "busy_percent", "busy", Percent, Gauge, One, Load, Day;
        /// Share of the last sample period in which memory was read or written. It is time, not bandwidth and not occupancy.
        MemoryController = "memory_controller_percent", "mem ctl", Percent, Gauge, One, Load, Day;
        /// How busy the video encoders were, over the driver's own sampling period.
        EncoderUtilization = "encoder_utilization_percent", "encoder", Percent, Gauge, One, Load, TenMinutes;
        /// How busy the video decoders were, over the driver's own sampling period.
        DecoderUtilization = "decoder_utilization_percent", "decoder", Percent, Gauge, One, Load, TenMinutes;

        /// All the memory of the GPU: used, reserved and free.
        MemoryTotal = "memory_total_bytes", "total", Bytes, Gauge, One, Memory, Day;
        /// Memory that programs hold. Old drivers count the reserved memory here.
        MemoryUsed = "memory_used_bytes", "used", Bytes, Gauge, One, Memory, Day;
        /// Memory that the driver and the firmware keep for themselves.
        MemoryReserved = "memory_reserved_bytes", "reserved", Bytes, Gauge, One, Memory, Newest;
        /// Memory that a program could still take.
        MemoryFree = "memory_free_bytes", "free", Bytes, Gauge, One, Memory, TenMinutes;

        /// Temperature of the GPU.
        Temperature = "temperature_celsius", "temperature", Celsius, Gauge, One, PowerAndHeat, Day;
        /// Degrees that the GPU can still warm by before it is slowed down.
        SlowdownMargin = "temperature_slowdown_margin_celsius", "to slowdown", Celsius, Gauge, One, PowerAndHeat, TenMinutes;
        /// Power that the board draws: the mean of the last second from Ampere on (GA100 apart), the instant before.
        PowerDraw = "power_draw_watts", "power", Watts, Gauge, One, PowerAndHeat, Day;
        /// Mean power since the previous reading, from the energy counter.
        PowerAverage = "power_average_watts", "mean power", Watts, RateOf(Metric::Energy), One, PowerAndHeat, Day;
        /// The power limit that holds now: the lowest of all that were set.
        PowerEnforcedLimit = "power_enforced_limit_watts", "power limit", Watts, Gauge, One, PowerAndHeat, Day;
        /// The power limit that holds until another one is set.
        PowerDefaultLimit = "power_default_limit_watts", "default limit", Watts, Fact, One, PowerAndHeat, Newest;
        /// The lowest power limit that can be set.
        PowerMinimumLimit = "power_minimum_limit_watts", "lowest limit", Watts, Fact, One, PowerAndHeat, Newest;
        /// The highest power limit that can be set.
        PowerMaximumLimit = "power_maximum_limit_watts", "highest limit", Watts, Fact, One, PowerAndHeat, Newest;
        /// Energy used since the driver was loaded.
        Energy = "energy_joules", "energy", Joules, Counter, One, PowerAndHeat, Newest;
        /// Whether the driver stays initialised while no program uses the GPU.
        PersistenceMode = "persistence_mode", "persistence", Flag, Gauge, One, PowerAndHeat, Newest;
        /// Intended speed of a fan as a share of its maximum in quiet operation; it may exceed 100.
        Fan = "fan_{}_percent", "fan", Percent, Gauge, Fan, PowerAndHeat, TenMinutes;

        /// Clock of the graphics engine.
        ClockGraphics = "clock_graphics_mhz", "graphics", Megahertz, Gauge, One, Clocks, TenMinutes;
        /// Clock of the streaming multiprocessors.
        ClockSm = "clock_sm_mhz", "SM", Megahertz, Gauge, One, Clocks, Day;
        /// Clock of the memory.
        ClockMemory = "clock_memory_mhz", "memory", Megahertz, Gauge, One, Clocks, TenMinutes;
        /// Clock of the video engines.
        ClockVideo = "clock_video_mhz", "video", Megahertz, Gauge, One, Clocks, TenMinutes;
        /// Highest clock of the graphics engine.
        ClockGraphicsMaximum = "clock_graphics_max_mhz", "graphics max", Megahertz, Fact, One, Clocks, TenMinutes;
        /// Highest clock of the streaming multiprocessors.
        ClockSmMaximum = "clock_sm_max_mhz", "SM max", Megahertz, Fact, One, Clocks, TenMinutes;
        /// Highest clock of the memory.
        ClockMemoryMaximum = "clock_memory_max_mhz", "memory max", Megahertz, Fact, One, Clocks, TenMinutes;
        /// Highest clock of the video engines.
        ClockVideoMaximum = "clock_video_max_mhz", "video max", Megahertz, Fact, One, Clocks, TenMinutes;
        /// Performance state: P0 is the fastest, P8 is idle, P15 the slowest.
        PerformanceState = "performance_state", "P-state", PerformanceState, Gauge, One, Clocks, TenMinutes;
        /// Why the clocks are not higher, at this instant.
        ClockEventReasons = "clock_event_reasons", "limited by", ClockEventReasons, Gauge, One, Clocks, Newest;

        /// PCIe generation of the link now. It falls when the GPU is idle.
        PcieLinkGeneration = "pcie_link_generation", "PCIe gen", Number, Gauge, One, Links, TenMinutes;
        /// Lanes of the PCIe link now.
        PcieLinkWidth = "pcie_link_width", "PCIe lanes", Number, Gauge, One, Links, TenMinutes;
        /// Highest PCIe generation that the GPU and its slot can both do.
        PcieLinkGenerationMaximum = "pcie_link_generation_max", "PCIe gen max", Number, Fact, One, Links, Newest;
        /// Most lanes that the GPU and its slot can both do.
        PcieLinkWidthMaximum = "pcie_link_width_max", "PCIe lanes max", Number, Fact, One, Links, Newest;
        /// Traffic from the host to the GPU, measured by the driver over 20 ms.
        PcieRx = "pcie_rx_bytes_per_second", "PCIe rx", BytesPerSecond, Measured, One, Links, Day;
        /// Traffic from the GPU to the host, measured by the driver over 20 ms.
        PcieTx = "pcie_tx_bytes_per_second", "PCIe tx", BytesPerSecond, Measured, One, Links, Day;
    }
}

metrics! {
    /// A number about a process on a GPU.
    ProcessMetric {
        /// GPU memory that the process holds: the largest of what the compute, graphics and MPS lists say of it.
        GpuMemory = "gpu_memory_bytes", "memory", Bytes, Gauge, One, Process, Newest;
        /// Share of time in which the process had kernels on the streaming multiprocessors.
        Sm = "sm_percent", "SM", Percent, Gauge, One, Process, Newest;
        /// Share of time in which the process read or wrote GPU memory.
        MemoryController = "memory_controller_percent", "mem ctl", Percent, Gauge, One, Process, Newest;
        /// The process's share of the video encoders.
        Encoder = "encoder_utilization_percent", "encoder", Percent, Gauge, One, Process, Newest;
        /// The process's share of the video decoders.
        Decoder = "decoder_utilization_percent", "decoder", Percent, Gauge, One, Process, Newest;
        /// Processor time since the previous reading; 100 is one core.
        Cpu = "cpu_percent", "CPU", Percent, Interval, One, Process, Newest;
        /// Memory of the host that the process holds resident.
        ResidentMemory = "resident_memory_bytes", "RSS", Bytes, Gauge, One, Process, Newest;
        /// Time since the process started.
        RunTime = "run_time_seconds", "time", Seconds, Gauge, One, Process, Newest;
    }
}

metrics! {
    /// A number about the machine around the GPUs.
    HostMetric {
        /// Share of all processors' time that was not idle since the previous reading.
        Cpu = "cpu_percent", "CPU", Percent, Interval, One, Host, Day;
        /// Logical processors.
        CpuCount = "cpu_count", "CPUs", Number, Fact, One, Host, Newest;
        /// Mean number of running or waiting tasks over 1 minute.
        Load1 = "load_average_1m", "load 1 min", Number, Gauge, One, Host, TenMinutes;
        /// Mean number of running or waiting tasks over 5 minutes.
        Load5 = "load_average_5m", "load 5 min", Number, Gauge, One, Host, Newest;
        /// Mean number of running or waiting tasks over 15 minutes.
        Load15 = "load_average_15m", "load 15 min", Number, Gauge, One, Host, Newest;
        /// Memory of the machine.
        MemoryTotal = "memory_total_bytes", "total", Bytes, Gauge, One, Host, Newest;
        /// Memory in use: the total less what is available.
        MemoryUsed = "memory_used_bytes", "used", Bytes, Gauge, One, Host, Day;
        /// Memory that programs could take without swapping.
        MemoryAvailable = "memory_available_bytes", "available", Bytes, Gauge, One, Host, TenMinutes;
        /// Swap space.
        SwapTotal = "swap_total_bytes", "swap total", Bytes, Gauge, One, Host, Newest;
        /// Swap space in use.
        SwapUsed = "swap_used_bytes", "swap used", Bytes, Gauge, One, Host, TenMinutes;
        /// Share of the last 10 s in which some task waited for a processor.
        PressureCpuSome = "pressure_cpu_some_percent", "CPU pressure", Percent, Gauge, One, Host, TenMinutes;
        /// Share of the last 10 s in which some task waited for memory.
        PressureMemorySome = "pressure_memory_some_percent", "memory pressure", Percent, Gauge, One, Host, TenMinutes;
        /// Share of the last 10 s in which every busy task waited for memory.
        PressureMemoryFull = "pressure_memory_full_percent", "memory stall", Percent, Gauge, One, Host, TenMinutes;
        /// Share of the last 10 s in which some task waited for input or output.
        PressureIoSome = "pressure_io_some_percent", "IO pressure", Percent, Gauge, One, Host, TenMinutes;
        /// Share of the last 10 s in which every busy task waited for input or output.
        PressureIoFull = "pressure_io_full_percent", "IO stall", Percent, Gauge, One, Host, TenMinutes;
    }
}

/// One place for a value of a GPU: a metric, and which of its instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The metric.
    pub metric: Metric,
    /// The number of the fan, the link or the instance for a metric that has several values, else 0.
    pub instance: u32,
}

impl Slot {
    /// The slot's key in JSON.
    #[must_use]
    pub fn key(self) -> std::borrow::Cow<'static, str> {
        let spec = self.metric.spec();
        match spec.per {
            Per::One => spec.id.into(),
            Per::Fan | Per::NvLink | Per::GpuInstance => {
                spec.id.replace("{}", &self.instance.to_string()).into()
            }
        }
    }
}

/// The order of one GPU's slots: the table's, with the instances of a metric side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// `starts[m]..starts[m + 1]` are the slots of metric number `m`.
    starts: [u16; Metric::COUNT + 1],
}

impl Layout {
    /// The layout of a GPU with these parts.
    #[must_use]
    pub fn new(instances: Instances) -> Self {
        let mut starts = [0; Metric::COUNT + 1];
        for (number, metric) in Metric::ALL.iter().enumerate() {
            starts[number + 1] = starts[number] + metric.spec().per.slots(instances);
        }
        Self { starts }
    }

    /// How many slots there are.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.starts[Metric::COUNT])
    }

    /// Whether there is no slot; there always is one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which slots belong to `metric`.
    #[must_use]
    pub fn slots_of(&self, metric: Metric) -> std::ops::Range<usize> {
        let number = metric as usize;
        usize::from(self.starts[number])..usize::from(self.starts[number + 1])
    }

    /// Every slot in order.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        Metric::ALL.iter().flat_map(|&metric| {
            (0u32..).zip(self.slots_of(metric)).map(move |(instance, _)| Slot { metric, instance })
        })
    }
}

const SET_WORDS: usize = Metric::COUNT.div_ceil(64);

/// A set of GPU metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricSet([u64; SET_WORDS]);

impl MetricSet {
    /// No metric.
    pub const NONE: Self = Self([0; SET_WORDS]);

    /// Every metric.
    #[must_use]
    pub fn all() -> Self {
        Metric::ALL.iter().copied().collect()
    }

    /// The set with `metric` in it.
    #[must_use]
    pub const fn with(mut self, metric: Metric) -> Self {
        let number = metric as usize;
        self.0[number / 64] |= 1 << (number % 64);
        self
    }

    /// Whether `metric` is in the set.
    #[must_use]
    pub const fn contains(&self, metric: Metric) -> bool {
        let number = metric as usize;
        self.0[number / 64] & (1 << (number % 64)) != 0
    }

    /// Whether any of `metrics` is in the set.
    #[must_use]
    pub fn contains_any(&self, metrics: &[Metric]) -> bool {
        metrics.iter().any(|metric| self.contains(*metric))
    }
}

impl FromIterator<Metric> for MetricSet {
    fn from_iter<I: IntoIterator<Item = Metric>>(metrics: I) -> Self {
        metrics.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        History, HostMetric, Instances, Kind, Layout, Metric, MetricSet, MetricSpec, ProcessMetric,
        TableMetric, Unit,
    };
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn specs<M: TableMetric>() -> Vec<&'static MetricSpec> {
        M::ALL.iter().map(|metric| metric.spec()).collect()
    }

    #[test]
    fn every_row_is_whole_and_says_its_unit() {
        for table in [specs::<Metric>(), specs::<ProcessMetric>(), specs::<HostMetric>()] {
            let ids: BTreeSet<_> = table.iter().map(|spec| spec.id).collect();
            assert_eq!(ids.len(), table.len(), "ids are unique");
            for spec in table {
                assert!(spec.id.ends_with(spec.unit.key_ending()), "{}", spec.id);
                assert!(spec.help.ends_with('.') && !spec.help.starts_with(' '), "{}", spec.id);
                assert!(!spec.label.is_empty(), "{}", spec.id);
            }
        }
    }

    #[test]
    fn what_has_no_mean_is_not_kept() {
        let specs = Metric::ALL.iter().map(|metric| metric.spec());
        for spec in specs.filter(|spec| matches!(spec.unit, Unit::ClockEventReasons | Unit::Flag)) {
            assert_eq!(spec.history, History::Newest, "{}", spec.id);
        }
    }

    #[test]
    fn rates_are_of_counters() {
        for metric in Metric::ALL {
            if let Kind::RateOf(counter) = metric.spec().kind {
                assert_eq!(counter.spec().kind, Kind::Counter);
                assert_eq!(counter.spec().per, metric.spec().per);
            }
        }
    }

    proptest! {
        #[test]
        fn slots_are_dense_and_in_table_order(
            fans in any::<u16>(),
            nvlinks in any::<u16>(),
            gpu_instances in any::<u16>(),
        ) {
            let layout = Layout::new(Instances { fans, nvlinks, gpu_instances });
            let slots: Vec<_> = layout.slots().collect();
            prop_assert_eq!(slots.len(), layout.len());
            for (number, slot) in slots.iter().enumerate() {
                let range = layout.slots_of(slot.metric);
                prop_assert_eq!(range.start + slot.instance as usize, number);
            }
            let keys: BTreeSet<_> = slots.iter().map(|slot| slot.key()).collect();
            prop_assert_eq!(keys.len(), layout.len());
        }

        #[test]
        fn a_set_holds_what_was_put_in(picks in proptest::collection::vec(0..Metric::COUNT, 0..20)) {
            let set: MetricSet = picks.iter().map(|&n| Metric::ALL[n]).collect();
            for (number, metric) in Metric::ALL.iter().enumerate() {
                prop_assert_eq!(set.contains(*metric), picks.contains(&number));
            }
        }
    }
}

//! Things that go wrong, and which of them strike a call.

use crate::scenario::{Action, BadText, FaultSpec, Hang};
use crate::waveform::{hash, unit};

/// A fault with its time span worked out.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) spec: FaultSpec,
    /// From and until, in microseconds.
    pub(crate) span: (u64, u64),
    function: String,
}

/// A time without a driver, and the version that comes after it.
#[derive(Debug)]
pub(crate) struct Reload {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) driver: Option<String>,
}

impl Reload {
    pub(crate) fn of(fault: &Fault) -> Self {
        let from = fault.span.0;
        let to = from + fault.spec.down.map_or(0, |down| down.0);
        Self { from, to, driver: fault.spec.new_driver.clone() }
    }
}

/// Something that happens to GPUs, for their event sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) at: u64,
    /// The GPU; all of them where it is left out.
    pub(crate) gpu: Option<u32>,
    pub(crate) types: u64,
    pub(crate) data: u64,
    pub(crate) instances: (u32, u32),
}

impl Happening {
    pub(crate) fn of(fault: &Fault) -> Self {
        const XID: u64 = 8;
        const NONE: u32 = u32::MAX;
        let FaultSpec { gpu, event_type, data, gpu_instance, compute_instance, .. } = &fault.spec;
        Self {
            at: fault.span.0,
            gpu: *gpu,
            types: event_type.unwrap_or(XID),
            data: data.unwrap_or(0),
            instances: (gpu_instance.unwrap_or(NONE), compute_instance.unwrap_or(NONE)),
        }
    }
}

/// What the faults make of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Effects {
    pub(crate) code: Option<u32>,
    pub(crate) latency_us: u64,
    pub(crate) latency_real: bool,
    pub(crate) hang: bool,
    pub(crate) value: Option<i64>,
    pub(crate) text: Option<BadText>,
    pub(crate) text_literal: Option<String>,
    pub(crate) grow: u32,
}

/// One call, as a fault looks at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) function: &'a str,
    pub(crate) gpu: Option<u32>,
    /// The field id, for one entry of nvmlDeviceGetFieldValues.
    pub(crate) field: Option<u32>,
    pub(crate) now: u64,
    pub(crate) seed: u64,
    /// How many calls of this function for this GPU came before.
    pub(crate) number: u64,
}

impl Fault {
    pub(crate) fn new(spec: FaultSpec) -> Result<Self, String> {
        let span = (spec.at.map_or(0, |at| at.0), spec.until.map_or(u64::MAX, |at| at.0));
        if span.1 <= span.0 {
            return Err("`until` must be later than `at`".into());
        }
        if spec.action != Some(Action::DriverReload)
            && (spec.down.is_some() || spec.new_driver.is_some())
        {
            return Err("`down` and `new_driver` belong to do = \"driver-reload\"".into());
        }
        let of_event = spec.event_type.or(spec.data).is_some()
            || spec.gpu_instance.or(spec.compute_instance).is_some();
        if of_event != (spec.action == Some(Action::Event)) {
            return Err(
                "`type`, `data` and instances belong to do = \"event\", which needs one".into()
            );
        }
        if spec.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return Err("`probability` must lie between 0 and 1".into());
        }
        if spec.field.is_some() && spec.action.is_some() {
            return Err("`field` does not go with `do`".into());
        }
        let function = spec.function.clone().unwrap_or_else(|| "*".into());
        Ok(Self { spec, span, function })
    }

    fn strikes(&self, call: Circumstances<'_>) -> bool {
        let (from, until) = self.span;
        (from..until).contains(&call.now)
            && self.spec.field == call.field
            && self.spec.gpu.is_none_or(|gpu| call.gpu == Some(gpu))
            && glob(&self.function, call.function)
            && self.spec.probability.is_none_or(|p| unit(hash(call.seed, call.number)) < p)
    }

    fn apply(&self, effects: &mut Effects) {
        let spec = &self.spec;
        effects.code = effects.code.or(spec.code);
        effects.value = effects.value.or(spec.value);
        effects.text = effects.text.or(spec.text);
        effects.hang |= spec.hang == Some(Hang::UntilReleased);
        effects.latency_us += spec.latency.map_or(0, |latency| latency.0);
        effects.latency_real |= spec.latency_real;
        effects.grow += spec.grow.unwrap_or(0);
        if effects.text_literal.is_none() {
            effects.text_literal.clone_from(&spec.text_literal);
        }
    }
}

/// What all faults together make of a call; the first that sets a thing wins.
pub(crate) fn effects(faults: &[Fault], call: Circumstances<'_>) -> Effects {
    let mut effects = Effects::default();
    for fault in faults.iter().filter(|fault| fault.strikes(call)) {
        fault.apply(&mut effects);
    }
    effects
}

/// Whether a name fits a pattern in which `*` stands for any text.
pub(crate) fn glob(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    tail.is_empty()
        || (0..=rest.len()).any(|at| rest.is_char_boundary(at) && glob(tail, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(glob("nvmlDeviceGet*", "nvmlDeviceGetName"));
        assert!(glob("*Get*Name", "nvmlDeviceGetName"));
        assert!(glob("*", ""));
        assert!(!glob("nvmlDeviceSet*", "nvmlDeviceGetName"));
        assert!(!glob("nvmlDeviceGetNam", "nvmlDeviceGetName"));
    }

    #[test]
    fn chance_depends_on_the_call_number_alone() {
        let spec = FaultSpec { probability: Some(0.3), code: Some(6), ..FaultSpec::default() };
        let faults = [Fault::new(spec).unwrap()];
        let struck = |number| {
            let call =
                Circumstances { function: "f", gpu: None, field: None, now: 0, seed: 1, number };
            effects(&faults, call).code.is_some()
        };
        let hits = (0..1000).filter(|number| struck(*number)).count();
        assert!((200..400).contains(&hits), "{hits}");
        assert!((0..1000).all(|number| struck(number) == struck(number)));
    }
}

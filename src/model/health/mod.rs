//! What is wrong with a GPU or holds it back: a table of rules, and what they find in a sample and the minute before.

mod errors;
mod limits;
mod links;
mod load;
mod memory;
mod reach;
mod rules;
mod view;
mod watch;

use super::metric::{HostMetric, Metric};
use super::sample::Sample;

pub use rules::{RULES, Rule};
pub use view::{NoPast, Past, Recent};
pub use watch::{Change, Watch};

use view::{Scene, View};

/// A number that a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// One of the GPU's.
    Gpu(Metric),
    /// One of the machine's.
    Host(HostMetric),
}

impl Evidence {
    /// The number's key in JSON, with the part of the document before it where that is not the GPU; `N` stands for the
    /// number of a fan or a link.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Gpu(metric) => metric.spec().id.replace("{}", "N"),
            Self::Host(metric) => format!("host.{}", metric.spec().id),
        }
    }
}

/// A rule that holds for a GPU, and what there is to say.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// What is the matter, with its numbers, to stand after the name of the GPU.
    pub sentence: String,
}

impl PartialEq for Finding {
    fn eq(&self, other: &Self) -> bool {
        self.rule.id == other.rule.id && self.sentence == other.sentence
    }
}

/// What the rules find for each GPU of a sample, the most severe first. A rule that needs more of the past than
/// there is does not hold.
#[must_use]
pub fn findings(sample: &Sample, past: &dyn Past) -> Vec<Vec<Finding>> {
    let scene = Scene::new(sample, past);
    let of_gpu = |(gpu, now)| {
        let (view, mut found) = (View { scene: &scene, gpu, now, held: false }, Vec::new());
        for rule in RULES {
            found.extend(rule.look(&view, &found));
        }
        found
    };
    sample.gpus.iter().enumerate().map(of_gpu).collect()
}

#[cfg(test)]
mod tests;

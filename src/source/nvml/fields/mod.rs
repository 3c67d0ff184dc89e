//! Reading numbers by the ids of their fields: all of a lane with one call, and each with its own fate.

mod clock;
mod ids;
mod older;
mod table;

use super::device::{Device, absent_for, or_older};
use super::probes::Fill;
use super::raw::{FIELD_VALUES, Failure, FieldAnswer, FieldBatch, code};
use crate::model::{Absent, Instances};
use clock::DriverClock;
pub(super) use ids::DriverVersion;
use ids::{Field, id_for};
pub(super) use table::{FIELDS, asks};
use table::{LANES, Row, Scope, Source};

/// What is asked of one GPU in each lane, and what it has refused for good.
#[derive(Default)]
pub(super) struct FieldLanes([FieldLane; LANES.len()]);

#[derive(Default)]
struct FieldLane {
    /// Empty until the lane is read for the first time.
    asked: Vec<Asked>,
    batch: FieldBatch,
}

/// What is asked for one instance of a row's metric.
struct Asked {
    row: &'static Row,
    instance: usize,
    /// What is asked for now.
    source: Source,
    /// What is asked for once the driver has refused that.
    instead: Option<Source>,
    /// The fields and scopes that are added up; one that is refused for good is no longer among them.
    parts: Vec<Part>,
    /// Why there is nothing to ask for, where there is not.
    refusal: Absent,
    clock: DriverClock,
    /// Whether it was filled in this pass.
    is_done: bool,
}

struct Part {
    id: u32,
    scope: u32,
}

/// Reads one lane and fills its metrics.
fn read(device: &mut Device, fill: &mut Fill<'_>, number: usize) {
    let mut lanes = std::mem::take(&mut device.field_lanes);
    if let Some((lane, rows)) = lanes.0.iter_mut().zip(LANES).nth(number) {
        if lane.asked.is_empty() {
            let asked = |row| instances(row, device).map(move |instance| (row, instance));
            let asked = rows.iter().flat_map(asked);
            lane.asked = asked.map(|(row, instance)| Asked::new(row, instance, device)).collect();
        }
        lane.read(device, fill, number);
    }
    device.field_lanes = lanes;
}

/// The instances that a row's metric has; one of them, where there is no link, for the reason.
fn instances(row: &Row, device: &Device) -> std::ops::Range<usize> {
    match row.source.scope {
        Scope::EachLink => 0..usize::from(device.nvlinks.unwrap_or(0).max(1)),
        _ => 0..1,
    }
}

impl FieldLane {
    fn read(&mut self, device: &mut Device, fill: &mut Fill<'_>, number: usize) {
        for asked in &mut self.asked {
            asked.is_done = false;
        }
        // Once more only where a driver has just refused something for which there is something else.
        while self.asked.iter().any(|asked| !asked.is_done) {
            let answer = self.ask(device, number);
            let now_us = device.now_us();
            let mut answers = self.batch.answers();
            for asked in self.asked.iter_mut().filter(|asked| !asked.is_done) {
                let (value, at_us) = asked.take(answer, &mut answers, now_us);
                if asked.parts.is_empty()
                    && let Some(instead) = asked.instead.take()
                {
                    asked.plan(instead, device);
                    continue;
                }
                asked.is_done = true;
                let value = match asked.row.older {
                    Some(older) => or_older(value, || (older.read)(device, asked.instance)),
                    None => value,
                };
                fill.put_read(asked.row.metric, asked.instance, value, at_us);
            }
        }
    }

    /// Makes the call for everything that is not done.
    fn ask(&mut self, device: &mut Device, number: usize) -> Result<(), Absent> {
        self.batch.clear();
        for asked in self.asked.iter().filter(|asked| !asked.is_done) {
            for part in &asked.parts {
                self.batch.ask(part.id, part.scope);
            }
        }
        if self.batch.is_empty() {
            return Ok(());
        }
        let which = u32::try_from(number).unwrap_or(u32::MAX);
        let batch = &mut self.batch;
        device.call(FIELD_VALUES.name, which, |handle, library| handle.get_fields(library, batch))
    }
}

impl Asked {
    fn new(row: &'static Row, instance: usize, device: &Device) -> Self {
        let mut asked = Self {
            row,
            instance,
            source: row.source,
            instead: row.instead,
            parts: Vec::new(),
            refusal: Absent::NotSupported,
            clock: DriverClock::default(),
            is_done: false,
        };
        asked.plan(row.source, device);
        asked
    }

    fn plan(&mut self, source: Source, device: &Device) {
        self.source = source;
        let scopes = self.scopes(device);
        for &field in source.fields {
            match id_for(device.driver, field) {
                Ok(id) => self.parts.extend(scopes.iter().map(|&scope| Part { id, scope })),
                Err(why) => self.refusal = why,
            }
        }
    }

    /// The numbers of the parts of the GPU.
    fn scopes(&self, device: &Device) -> Vec<u32> {
        let links = 0..u32::from(device.nvlinks.unwrap_or(0));
        match self.source.scope {
            Scope::Gpu => vec![0],
            Scope::Module => vec![1],
            Scope::AllLinks => vec![u32::MAX],
            Scope::SumOfLinks => links.collect(),
            Scope::EachLink => links.skip(self.instance).take(1).collect(),
        }
    }

    /// Takes the answers to its parts, and tells the value and when it was read.
    fn take(
        &mut self,
        answer: Result<(), Absent>,
        answers: &mut impl Iterator<Item = FieldAnswer>,
        now_us: u64,
    ) -> (Result<f64, Absent>, u64) {
        let (mut sum, mut failure, mut at_us) = (0.0, None, now_us);
        let (refusal, clock) = (&mut self.refusal, &mut self.clock);
        let mut is_first = true;
        self.parts.retain(|part| {
            let told = answers.next().ok_or(Absent::Unknown);
            let value = answer.and(told).and_then(|told| {
                let value = told.value.map_err(|failure| absent_for_field(failure, part.scope))?;
                if std::mem::take(&mut is_first) {
                    at_us = clock.ours(told.timestamp_us, now_us);
                }
                Ok(value)
            });
            match value {
                Ok(value) => sum += value,
                Err(why) if why.lasts() => {
                    *refusal = why;
                    return false;
                }
                Err(why) => failure = Some(why),
            }
            true
        });
        let value = match failure {
            Some(why) => Err(why),
            None if self.parts.is_empty() => Err(self.refusal),
            None => Ok(sum / self.source.per),
        };
        (value, at_us)
    }
}

/// How many NVLinks the GPU has, also those that are down.
pub(super) fn nvlinks(device: &mut Device) -> Result<u16, Absent> {
    let mut batch = FieldBatch::default();
    batch.ask(id_for(device.driver, Field::NvLinkCount)?, 0);
    device.call(FIELD_VALUES.name, COUNT_OF_NVLINKS, |handle, library| {
        handle.get_fields(library, &mut batch)
    })?;
    let told = batch.answers().next().ok_or(Absent::Unknown)?;
    let count = told.value.map_err(|failure| absent_for_field(failure, 0))?;
    let mut counts = 0..=Instances::MOST.nvlinks;
    counts.find(|known| f64::from(*known).to_bits() == count.to_bits()).ok_or(Absent::OutOfRange)
}

/// Tells the question for the number of links apart from the lanes.
const COUNT_OF_NVLINKS: u32 = u32::MAX;

/// An id or a scope that the driver has never heard of will not be known to it later either.
fn absent_for_field(failure: Failure, scope: u32) -> Absent {
    match failure {
        Failure::Code(code::INVALID_ARGUMENT) if scope == 0 => Absent::DriverTooOld,
        Failure::Code(code::INVALID_ARGUMENT) => Absent::NotSupported,
        failure => absent_for(failure),
    }
}

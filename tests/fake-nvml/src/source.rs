//! Scenarios as tables: their presets, how one is laid over another, and what is wrong with them.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::presets::preset_toml;
use crate::scenario::Scenario;

/// A scenario as its tables, which can be laid over one another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source(Table);

impl Source {
    /// Reads a scenario; `preset` at its top fills in what it leaves out.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut table: Table = text.parse().map_err(|error| format!("{error}"))?;
        let base = match table.remove("preset") {
            None => Table::new(),
            Some(Value::String(name)) => preset_table(&name)?,
            Some(_) => return Err("`preset` must be a text".into()),
        };
        let mut source = Self(base);
        source.overlay(table);
        Ok(source)
    }

    /// Lays another scenario over this one: its tables win key by key, its lists win whole.
    pub(crate) fn update(&mut self, text: &str) -> Result<(), String> {
        let Self(table) = Self::read(text)?;
        self.overlay(table);
        Ok(())
    }

    fn overlay(&mut self, table: Table) {
        merge(&mut self.0, table);
    }

    /// The scenario with every GPU's preset and the `[each]` table filled in.
    pub(crate) fn resolve(&self) -> Result<Scenario, String> {
        let mut table = self.0.clone();
        let each = match table.remove("each") {
            None => Table::new(),
            Some(Value::Table(each)) => each,
            Some(_) => return Err("`each` must be a table".into()),
        };
        let gpus = match table.get_mut("gpu") {
            None => &mut Vec::new(),
            Some(Value::Array(gpus)) => gpus,
            Some(_) => return Err("`gpu` must be an array of tables: [[gpu]]".into()),
        };
        for (i, gpu) in gpus.iter_mut().enumerate() {
            let own = std::mem::replace(gpu, Value::Boolean(false));
            let mut whole = fill_in(own).map_err(|error| format!("in gpu[{i}]: {error}"))?;
            merge(&mut whole, each.clone());
            *gpu = Value::Table(whole);
        }
        read_tables(table)
    }
}

/// Reads the parts one by one, so that an error can say which it was in.
fn read_tables(mut table: Table) -> Result<Scenario, String> {
    fn list<T: DeserializeOwned>(part: Option<Value>, key: &str) -> Result<Vec<T>, String> {
        let entries = match part {
            None => Vec::new(),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err(format!("`{key}` must be an array of tables: [[{key}]]")),
        };
        let read = |(i, entry): (usize, Value)| {
            entry.try_into().map_err(|e| format!("in {key}[{i}]: {}", e.to_string().trim_end()))
        };
        entries.into_iter().enumerate().map(read).collect()
    }
    let (gpu, fault) = (list(table.remove("gpu"), "gpu")?, list(table.remove("fault"), "fault")?);
    let rest: Scenario = table.try_into().map_err(|e| e.to_string().trim_end().to_owned())?;
    Ok(Scenario { gpu, fault, ..rest })
}

/// A GPU's table with its preset's beneath it.
fn fill_in(gpu: Value) -> Result<Table, String> {
    let Value::Table(mut own) = gpu else { return Err("expected a table".into()) };
    let mut whole = match own.remove("preset") {
        None => return Ok(own),
        Some(Value::String(name)) => first_gpu(&name)?,
        Some(_) => return Err("`preset` must be a text".into()),
    };
    merge(&mut whole, own);
    Ok(whole)
}

/// The tables of a preset, which may itself stand on another one.
fn preset_table(name: &str) -> Result<Table, String> {
    let text = preset_toml(name).ok_or_else(|| format!("`{name}` is not a preset"))?;
    let Source(table) = Source::read(text).map_err(|error| format!("preset `{name}`: {error}"))?;
    Ok(table)
}

fn first_gpu(preset: &str) -> Result<Table, String> {
    let gpu = match preset_table(preset)?.remove("gpu") {
        Some(Value::Array(mut gpus)) if !gpus.is_empty() => gpus.swap_remove(0),
        _ => return Err(format!("preset `{preset}` has no GPU")),
    };
    let mut gpu = fill_in(gpu)?;
    gpu.remove("count");
    Ok(gpu)
}

fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

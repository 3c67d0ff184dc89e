//! Numbers with units, as a scenario writes them: `4s`, `80GiB`, `690W`, `3*500ms`, `0x40`.

/// A unit and its worth in what NVML counts in: seconds, bytes, milliwatts, megahertz, percent, °C.
const UNITS: &[(&str, f64)] = &[
    ("", 1.0),
    ("%", 1.0),
    ("C", 1.0),
    ("RPM", 1.0),
    ("us", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
    ("mW", 1.0),
    ("W", 1e3),
    ("kW", 1e6),
    ("MHz", 1.0),
    ("GHz", 1e3),
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
];

/// Reads a quantity, which may be a product.
pub(crate) fn quantity(text: &str) -> Result<f64, String> {
    text.split('*')
        .map(|factor| single(factor.trim()))
        .try_fold(1.0, |product, factor| Ok(product * factor?))
}

fn single(text: &str) -> Result<f64, String> {
    let bad = || format!("`{text}` is not a number with a unit");
    if let Some(digits) = text.strip_prefix("0x") {
        return u32::from_str_radix(digits, 16).map(f64::from).map_err(|_| bad());
    }
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '_')))
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let number: f64 = digits.replace('_', "").parse().map_err(|_| bad())?;
    let unit = unit.trim();
    let unit = unit.strip_suffix("/s").unwrap_or(unit);
    UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, worth)| number * worth)
        .ok_or_else(|| format!("`{unit}` in `{text}` is not a known unit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_products() {
        assert_eq!(quantity("250ms"), Ok(0.25));
        assert_eq!(quantity("3*500ms"), Ok(1.5));
        assert_eq!(quantity("2KiB/s"), Ok(2048.0));
        assert_eq!(quantity("70W"), Ok(70_000.0));
        assert_eq!(quantity("0x40"), Ok(64.0));
        assert_eq!(quantity("-3C"), Ok(-3.0));
    }

    #[test]
    fn a_bad_quantity_is_named() {
        assert!(quantity("5 parsecs").is_err_and(|e| e.contains("parsecs")));
        assert!(quantity("many").is_err_and(|e| e.contains("many")));
    }
}

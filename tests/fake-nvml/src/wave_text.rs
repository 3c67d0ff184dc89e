//! Reads a waveform as a scenario writes it: `square(period=4s, lo=0, hi=97) + noise(every=1s, lo=-2, hi=2)`.

use crate::metric::Metric;
use crate::units::quantity;
use crate::waveform::{Shape, Wave};

/// Reads a waveform; `unsupported` is none.
pub(crate) fn parse(text: &str) -> Result<Option<Wave>, String> {
    if text.trim() == "unsupported" {
        return Ok(None);
    }
    let mut terms = split(text, '+').into_iter().map(term).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(if terms.len() == 1 { terms.remove(0) } else { Wave::Sum(terms) }))
}

/// One summand: a quantity, or a call that may be multiplied.
fn term(text: &str) -> Result<Wave, String> {
    let text = text.trim();
    let Some(open) = text.find('(') else {
        return quantity(text).map(Wave::Const);
    };
    let close = text.rfind(')').ok_or_else(|| format!("`{text}` lacks a closing bracket"))?;
    let wave = call(text[..open].trim(), &text[open + 1..close])?;
    let rest = text[close + 1..].trim();
    match rest.strip_prefix('*') {
        Some(by) => Ok(Wave::Scaled(Box::new(wave), quantity(by.trim())?)),
        None if rest.is_empty() => Ok(wave),
        None => Err(format!("`{rest}` follows the closing bracket")),
    }
}

fn call(name: &str, inside: &str) -> Result<Wave, String> {
    let args = Args { name, list: split(inside, ',') };
    match name {
        "const" => args.first().and_then(quantity).map(Wave::Const),
        "integral" => args.first().and_then(metric).map(Wave::Integral),
        "follow" => Ok(Wave::Follow {
            metric: metric(args.first()?)?,
            lo: args.need("lo")?,
            hi: args.need("hi")?,
        }),
        "noise" => Ok(Wave::Noise {
            every: args.positive("every")?,
            lo: args.need("lo")?,
            hi: args.need("hi")?,
        }),
        "steps" => args.steps(),
        "square" => args.periodic(Shape::Square { duty: args.get("duty")?.unwrap_or(0.5) }),
        "sine" => args.periodic(Shape::Sine),
        "ramp" => args.periodic(Shape::Ramp),
        _ => Err(format!("`{name}` is not a waveform")),
    }
}

struct Args<'a> {
    name: &'a str,
    list: Vec<&'a str>,
}

impl<'a> Args<'a> {
    fn first(&self) -> Result<&'a str, String> {
        let first = self.list.first().map(|arg| arg.trim()).filter(|arg| !arg.is_empty());
        first.ok_or_else(|| format!("`{}` needs an argument", self.name))
    }

    fn get(&self, key: &str) -> Result<Option<f64>, String> {
        let value = self.list.iter().find_map(|arg| {
            let (name, value) = arg.split_once('=')?;
            (name.trim() == key).then_some(value)
        });
        value.map(|value| quantity(value.trim())).transpose()
    }

    fn need(&self, key: &str) -> Result<f64, String> {
        self.get(key)?.ok_or_else(|| format!("`{}` needs `{key}=`", self.name))
    }

    fn positive(&self, key: &str) -> Result<f64, String> {
        let value = self.need(key)?;
        if value > 0.0 { Ok(value) } else { Err(format!("`{key}` must be above zero")) }
    }

    fn periodic(&self, shape: Shape) -> Result<Wave, String> {
        Ok(Wave::Periodic {
            shape,
            period: self.positive("period")?,
            phase: self.get("phase")?.unwrap_or(0.0),
            lo: self.need("lo")?,
            hi: self.need("hi")?,
        })
    }

    fn steps(&self) -> Result<Wave, String> {
        let mut steps = Vec::new();
        for arg in &self.list {
            let (from, value) =
                arg.split_once(':').ok_or_else(|| format!("`{arg}` is not `time:value`"))?;
            let step = (quantity(from.trim())?, quantity(value.trim())?);
            if steps.last().is_some_and(|(last, _)| *last >= step.0) {
                return Err(format!("`{arg}` does not come after the step before it"));
            }
            steps.push(step);
        }
        Ok(Wave::Steps(steps))
    }
}

fn metric(name: &str) -> Result<Metric, String> {
    Metric::from_name(name).ok_or_else(|| format!("`{name}` is not a metric"))
}

/// Splits at a separator that stands outside brackets.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut depth = 0_i32;
    text.split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == separator && depth == 0
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_sums_and_factors() {
        assert_eq!(parse("5%"), Ok(Some(Wave::Const(5.0))));
        assert_eq!(parse("unsupported"), Ok(None));
        assert!(
            matches!(parse("ramp(period=1s,lo=0,hi=1)*2 + 3"), Ok(Some(Wave::Sum(w))) if w.len() == 2)
        );
    }

    #[test]
    fn an_error_says_what_is_wrong() {
        for (text, part) in [
            ("sqare(period=1s)", "sqare"),
            ("sine(lo=0,hi=1)", "period"),
            ("sine(period=0s,lo=0,hi=1)", "above zero"),
            ("integral(utl)", "utl"),
            ("steps(2s:1, 1s:0)", "1s:0"),
            ("ramp(period=1s,lo=0,hi=1", "bracket"),
        ] {
            assert!(parse(text).is_err_and(|e| e.contains(part)), "{text}");
        }
    }
}

//! What there is to say below a table, each sentence once with everything that it is true of.

use std::io::{self, Write};

use crate::model::Absent;

#[derive(Default)]
pub(super) struct Notes(Vec<Note>);

struct Note {
    sentence: String,
    subjects: Vec<String>,
}

impl Notes {
    /// Notes that `sentence` is true of `subject`, or of the machine.
    pub(super) fn add(&mut self, subject: Option<String>, sentence: String) {
        let known = self.0.iter_mut().find(|note| note.sentence == sentence);
        match known {
            Some(note) => note.subjects.extend(subject),
            None => self.0.push(Note { sentence, subjects: subject.into_iter().collect() }),
        }
    }

    /// Notes the keys that `subject` has no value for, one sentence for each reason.
    pub(super) fn absent(
        &mut self,
        subject: &str,
        absent: impl IntoIterator<Item = (&'static str, Absent)>,
    ) {
        let mut reasons: Vec<(Absent, Vec<&str>)> = Vec::new();
        for (key, why) in absent {
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, keys)) => keys.push(key),
                None => reasons.push((why, vec![key])),
            }
        }
        for (why, keys) in reasons {
            self.add(Some(subject.to_owned()), format!("{}: {}", keys.join(", "), why.sentence()));
        }
    }

    /// Writes an empty line and the notes, if there are any. They are never cut.
    pub(super) fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        if !self.0.is_empty() {
            writeln!(writer)?;
        }
        for Note { sentence, subjects } in &self.0 {
            match subjects.as_slice() {
                [] => writeln!(writer, "{sentence}")?,
                subjects => writeln!(writer, "{}: {sentence}", list(subjects))?,
            }
        }
        Ok(())
    }
}

/// The subjects, of many the first few and how many there are besides.
fn list(subjects: &[String]) -> String {
    const MOST: usize = 8;
    let named = subjects[..subjects.len().min(MOST)].join(", ");
    match subjects.len().saturating_sub(MOST) {
        0 => named,
        others => format!("{named} and {others} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::Notes;
    use crate::model::Absent;

    #[test]
    fn each_sentence_stands_once() {
        let mut notes = Notes::default();
        for number in 0..10 {
            let keys = [("a", Absent::Mig), ("b", Absent::Gap), ("c", Absent::Mig)];
            notes.absent(&number.to_string(), keys.into_iter().take(3 - number / 9));
        }
        notes.add(None, "and that is all".to_owned());
        let mut out = Vec::new();
        notes.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut lines =
            text.lines().map(|line| line.split(':').take(2).collect::<Vec<_>>().join(":"));
        assert_eq!(lines.next().as_deref(), Some(""));
        assert_eq!(lines.next().as_deref(), Some("0, 1, 2, 3, 4, 5, 6, 7 and 1 more: a, c"));
        assert_eq!(lines.next().as_deref(), Some("0, 1, 2, 3, 4, 5, 6, 7 and 2 more: b"));
        assert_eq!(lines.next().as_deref(), Some("9: a"));
        assert_eq!(lines.next().as_deref(), Some("and that is all"));
    }
}

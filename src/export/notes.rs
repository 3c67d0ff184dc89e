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
                subjects => writeln!(writer, "{}: {sentence}", subjects.join(", "))?,
            }
        }
        Ok(())
    }
}

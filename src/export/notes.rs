//! What there is to say below a table, each sentence once with everything that it is true of.

use std::io::{self, Write};

use crate::model::Absent;

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// Everything; the sentence stands alone.
    Machine,
    Host,
    Driver,
    /// The GPU with this index.
    Gpu(u32),
    /// The process with this pid.
    Process(u32),
}

impl Subject {
    /// What one of its kind is called, what several are, and which of them it is.
    fn words(self) -> (&'static str, &'static str, Option<u32>) {
        match self {
            Self::Machine => ("", "", None),
            Self::Host => ("host", "", None),
            Self::Driver => ("driver", "", None),
            Self::Gpu(index) => ("GPU", "GPUs", Some(index)),
            Self::Process(pid) => ("process", "processes", Some(pid)),
        }
    }
}

#[derive(Default)]
pub(super) struct Notes(Vec<Note>);

struct Note {
    sentence: String,
    one: &'static str,
    many: &'static str,
    /// Which of their kind the sentence is true of.
    numbers: Vec<u32>,
}

impl Notes {
    /// Notes that `sentence` is true of `subject`.
    pub(super) fn add(&mut self, subject: Subject, sentence: String) {
        let (one, many, number) = subject.words();
        match self.0.iter_mut().find(|note| note.one == one && note.sentence == sentence) {
            // A process on two GPUs comes twice.
            Some(note) if number.is_some_and(|number| note.numbers.contains(&number)) => {}
            Some(note) => note.numbers.extend(number),
            None => {
                self.0.push(Note { sentence, one, many, numbers: number.into_iter().collect() });
            }
        }
    }

    /// Notes the names of what `subject` has no value for, one sentence for each reason.
    pub(super) fn absent(
        &mut self,
        subject: Subject,
        absent: impl IntoIterator<Item = (String, Absent)>,
    ) {
        let mut reasons: Vec<(Absent, Vec<String>)> = Vec::new();
        for (name, why) in absent {
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) => names.push(name),
                None => reasons.push((why, vec![name])),
            }
        }
        for (why, names) in reasons {
            self.add(subject, format!("{}: {}", names.join(", "), why.sentence()));
        }
    }

    /// Writes an empty line and the notes, if there are any. They are never cut.
    pub(super) fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        if !self.0.is_empty() {
            writeln!(writer)?;
        }
        for Note { sentence, one, many, numbers } in &self.0 {
            match numbers.as_slice() {
                [] if one.is_empty() => writeln!(writer, "{sentence}")?,
                [] => writeln!(writer, "{one}: {sentence}")?,
                [number] => writeln!(writer, "{one} {number}: {sentence}")?,
                numbers => writeln!(writer, "{many} {}: {sentence}", list(numbers))?,
            }
        }
        Ok(())
    }
}

/// The numbers, of many the first few and how many there are besides.
fn list(numbers: &[u32]) -> String {
    const MOST: usize = 8;
    let named: Vec<_> = numbers.iter().take(MOST).map(u32::to_string).collect();
    let named = named.join(", ");
    match numbers.len().saturating_sub(MOST) {
        0 => named,
        others => format!("{named} and {others} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Notes, Subject};
    use crate::model::Absent;

    #[test]
    fn each_sentence_stands_once() {
        let mut notes = Notes::default();
        for number in [0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9] {
            let names = [("A", Absent::Mig), ("B", Absent::Gap), ("C", Absent::Mig)];
            let names = names.map(|(name, why)| (name.to_owned(), why));
            notes.absent(
                Subject::Gpu(number),
                names.into_iter().take(if number == 9 { 2 } else { 3 }),
            );
        }
        notes.add(Subject::Process(9), "has ended".to_owned());
        notes.add(Subject::Gpu(9), "has ended".to_owned());
        notes.add(Subject::Driver, "is old".to_owned());
        notes.add(Subject::Machine, "and that is all".to_owned());
        let mut out = Vec::new();
        notes.write(&mut out).unwrap();
        let (mig, gap) = (Absent::Mig.sentence(), Absent::Gap.sentence());
        let expected = format!(
            "\n\
             GPUs 0, 1, 2, 3, 4, 5, 6, 7 and 1 more: A, C: {mig}\n\
             GPUs 0, 1, 2, 3, 4, 5, 6, 7 and 2 more: B: {gap}\n\
             GPU 9: A: {mig}\n\
             process 9: has ended\n\
             GPU 9: has ended\n\
             driver: is old\n\
             and that is all\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

//! What Nix makes of modules, on the stand-in for nixpkgs in `tests/nixeval`.

mod cases;
mod existing;
mod machines;
mod mutations;
mod on_machines;
mod planned;
mod shown;
mod text;
mod written;
mod yielded;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::thread;

use serde::Serialize;
use serde_json::Value;

use crate::skip::skip;

pub(crate) const SYSTEMS: [&str; 2] = ["x86_64-linux", "aarch64-linux"];
pub(crate) const RELEASES: [&str; 2] = ["25.11", "26.05"];

/// Most questions in one run of Nix: enough that its start costs little, few enough for two processors to share.
const BATCH: usize = 24;

/// Modules to be evaluated together.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Question {
    pub(crate) modules: Vec<PathBuf>,
    /// A host that they join.
    pub(crate) flake: Option<Flake>,
    pub(crate) system: &'static str,
    pub(crate) release: &'static str,
    /// Whether the upstream flake's module and overlay are there too.
    pub(crate) sdk: bool,
}

/// A host of a flake, made by its own outputs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Flake {
    /// Its `flake.nix`.
    pub(crate) path: PathBuf,
    pub(crate) host: &'static str,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evaluation {
    /// Whether a system could be built of it: no error, no failed assertion.
    pub(crate) ok: bool,
    /// The messages of the assertions that do not hold; each begins with its id.
    pub(crate) failed_assertions: Vec<String>,
    /// The messages of warnings; each begins with its id.
    pub(crate) warnings: Vec<String>,
    /// What the options are worth, by name.
    pub(crate) values: Value,
    /// Why nothing could be evaluated.
    pub(crate) error: Option<String>,
}

impl Evaluation {
    fn error(message: String) -> Self {
        let (failed_assertions, warnings) = (Vec::new(), Vec::new());
        Evaluation {
            ok: false,
            failed_assertions,
            warnings,
            values: Value::Null,
            error: Some(message),
        }
    }

    fn read(answer: &Value) -> Self {
        let texts = |key: &str| {
            let list = answer[key].as_array().unwrap();
            list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        Evaluation {
            ok: answer["ok"].as_bool().unwrap(),
            failed_assertions: texts("failedAssertions"),
            warnings: texts("warnings"),
            values: answer["values"].clone(),
            error: None,
        }
    }
}

/// Evaluates modules together.
pub(crate) fn evaluate(
    modules: &[&Path],
    system: &'static str,
    release: &'static str,
    sdk: bool,
) -> Evaluation {
    let modules = modules.iter().map(|path| (*path).to_owned()).collect();
    evaluate_all(&[Question { modules, flake: None, system, release, sdk }]).remove(0)
}

/// The same modules on both systems and releases.
pub(crate) fn everywhere(modules: &[&Path], sdk: bool) -> Vec<Question> {
    let modules: Vec<_> = modules.iter().map(|path| (*path).to_owned()).collect();
    let question = |system, release| {
        let modules = modules.clone();
        Question { modules, flake: None, system, release, sdk }
    };
    SYSTEMS
        .iter()
        .flat_map(|system| RELEASES.iter().map(move |release| (*system, *release)))
        .map(|(system, release)| question(system, release))
        .collect()
}

/// Answers many questions, in their order, on all processors.
pub(crate) fn evaluate_all(questions: &[Question]) -> Vec<Evaluation> {
    Surface::default().evaluate_all(questions, BATCH)
}

/// A folder with the stand-in for nixpkgs.
struct Surface(PathBuf);

impl Default for Surface {
    fn default() -> Self {
        Surface(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nixeval"))
    }
}

impl Surface {
    /// Answers questions with at most so many in one run.
    fn evaluate_all(&self, questions: &[Question], most: usize) -> Vec<Evaluation> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let batch = questions.len().div_ceil(threads).clamp(1, most);
        let waiting = Mutex::new(questions.chunks(batch).enumerate());
        let next = || waiting.lock().unwrap().next();
        let work = || {
            let batches = std::iter::from_fn(next);
            batches.map(|(place, batch)| (place, self.answer(batch))).collect::<Vec<_>>()
        };
        let mut answers = thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        answers.sort_by_key(|(place, _)| *place);
        answers.into_iter().flat_map(|(_, answers)| answers).collect()
    }

    /// Answers questions in one run. An error ends a run, so that it is looked for in halves.
    fn answer(&self, questions: &[Question]) -> Vec<Evaluation> {
        let json = serde_json::to_string(questions).unwrap();
        let file = self.0.join("batch.nix");
        let output = nix_eval(&[file.to_str().unwrap(), "--argstr", "questions", &json]);
        if output.status.success() {
            let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(answers.len(), questions.len());
            return answers.iter().map(Evaluation::read).collect();
        }
        if questions.len() == 1 {
            return vec![Evaluation::error(cause(&output))];
        }
        let (first, second) = questions.split_at(questions.len() / 2);
        [self.answer(first), self.answer(second)].concat()
    }
}

/// Evaluates strictly and prints JSON, without a store or a daemon.
pub(crate) fn nix_eval(arguments: &[&str]) -> Output {
    let mut command = Command::new("nix-instantiate");
    command.args(["--store", "dummy://", "--eval", "--strict", "--json"]).args(arguments);
    command.output().unwrap()
}

/// The last error of what Nix says: those before it tell where it was met.
pub(crate) fn cause(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let mut pieces = text.split('\u{1b}');
    let start = pieces.next().unwrap_or_default().to_owned();
    // Colours are `[…m` behind an escape.
    let plain = pieces
        .fold(start, |plain, piece| plain + piece.split_once('m').map_or("", |(_, rest)| rest));
    plain.rfind("error:").map_or(plain.as_str(), |at| &plain[at..]).trim_end().to_owned()
}

/// Whether Nix is there; a test that needs it and is without says so.
pub(crate) fn is_there(test: &str) -> bool {
    let is_there = Command::new("nix-instantiate").arg("--version").output().is_ok();
    if !is_there {
        skip(test, "nix-instantiate");
    }
    is_there
}

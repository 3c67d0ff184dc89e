//! GPUs that do not answer, and answers that no GPU should give.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Machine, assert_harmless};

fn h100_with(fault: &str) -> Machine {
    Machine::scenario(&format!("preset = \"h100\"\n[[fault]]\n{fault}\n"))
}

fn answers(gpu: &Value) -> bool {
    gpu["state"] == "live" && gpu["busy_percent"].is_number()
}

/// Seven of the eight GPUs answer, and what is wrong with the fourth is told once.
fn assert_only_gpu_3_is_in_trouble(json: &Value) {
    let gpus = json["gpus"].as_array().unwrap();
    let silent: Vec<_> = (0..8).filter(|number| !answers(&gpus[*number])).collect();
    assert_eq!((gpus.len(), silent), (8, vec![3]));
    let errors = json["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["gpu_index"] == 3) && errors.len() == 1, "{errors:?}");
}

#[test]
fn a_lost_gpu_is_4_and_the_others_are_printed() {
    let json = h100_with("gpu = 3\ndo = \"lost\"").once(4);
    assert_only_gpu_3_is_in_trouble(&json);
    assert_eq!(json["gpus"][3]["state"], "lost");
    assert_eq!(json["gpus"][3]["absent"]["busy_percent"], "gpu_lost");
}

/// It takes the 5 s after which a call counts as one that hangs.
#[test]
fn a_gpu_that_hangs_is_4_and_the_call_is_named() {
    let call = "nvmlDeviceGetTemperatureV";
    let machine = h100_with(&format!("gpu = 3\nfn = {call:?}\nhang = \"until-released\""));
    let json = machine.once(4);
    assert_only_gpu_3_is_in_trouble(&json);
    assert_eq!(
        (&json["gpus"][3]["state"], &json["gpus"][3]["call"]),
        (&"stuck".into(), &call.into())
    );
    assert!(json["gpus"][3]["state_age_seconds"].as_f64().unwrap() >= 5.0);
    assert!(json["errors"][0]["message"].as_str().unwrap().contains(call), "{}", json["errors"]);
}

#[test]
fn a_gpu_that_answers_every_call_with_an_error_has_no_number() {
    let machine = h100_with("gpu = 3\nfn = \"nvmlDeviceGet*\"\ncode = 999");
    let json = machine.once(4);
    let gpu = json["gpus"][3].as_object().unwrap();
    let numbers: Vec<_> =
        gpu.keys().filter(|key| gpu[*key].is_number() && *key != "index").collect();
    assert_eq!(numbers, Vec::<&String>::new());
    assert_eq!(gpu["absent"]["busy_percent"], "nvml_error_999");
    assert!((0..8).filter(|number| *number != 3).all(|number| answers(&json["gpus"][number])));
}

#[test]
fn texts_of_the_driver_cannot_steer_a_terminal() {
    for text in ["no-nul", "invalid-utf8", "escape", "bidi", "empty", "long"] {
        let fault = format!("[[fault]]\nfn = \"*Get{{}}\"\ntext = {text:?}\n");
        let faults: String =
            ["Name", "UUID", "Serial", "VbiosVersion", "DriverVersion", "NVMLVersion"]
                .map(|function| fault.replace("{}", function))
                .concat();
        let machine = Machine::scenario(&format!("preset = \"rtx4090\"\n{faults}"));
        assert_harmless(&machine.says(&["--once"], 0));
        assert_harmless(&machine.says(&["--once", "--format", "table"], 0));
    }
}

#[test]
fn a_reader_that_takes_one_byte_is_enough() {
    // More than a pipe holds, so that the program still writes when its reader leaves.
    let machine = Machine::scenario(
        "[[gpu]]\npreset = \"rtx4090\"\ncount = 64\nuuid = \"GPU-{i}\"\nbdf = \"0000:{i}:00.0\"\n",
    );
    let whole = machine.says(&["--once", "--pretty"], 0);
    assert!(whole.len() > 65536, "{}", whole.len());
    let mut command = machine.command(&["--once", "--pretty"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((first, output.status.code(), output.stderr), ([b'{'], Some(0), Vec::new()));
}

//! What can go wrong with a driver, made to go wrong.

use std::time::{Duration, Instant};

use fake_nvml::Fake;

use crate::support::{Nvml, read};

fn with(fault: &str) -> Fake {
    let base = "[[gpu]]\ncount = 2\nmemory = \"1GiB\"\nmetrics = { power = \"100W\", util = 5, \
                mem_util = 5, temperature = 40, memory_used = \"1MiB\", energy = \"integral(power)\" }";
    Fake::scenario(&format!("{base}\n[[fault]]\n{fault}")).unwrap()
}

#[test]
fn a_code_for_one_function_of_one_gpu_for_a_while() {
    let fake = with("fn = \"*PowerUsage\"\ngpu = 1\ncode = 999\nat = \"1s\"\nuntil = \"2s\"");
    let nvml = Nvml::initialised(&fake);
    let (first, second) = (nvml.device(0), nvml.device(1));
    assert_eq!(nvml.power(second), Ok(100_000));
    fake.advance(Duration::from_secs(1));
    assert_eq!((nvml.power(first), nvml.power(second)), (Ok(100_000), Err(999)));
    fake.advance(Duration::from_secs(1));
    assert_eq!(nvml.power(second), Ok(100_000));
}

#[test]
fn a_gpu_whose_every_call_fails() {
    let fake = with("gpu = 0\ncode = 16");
    let nvml = Nvml::initialised(&fake);
    assert_eq!(nvml.count(), Ok(2));
    assert_eq!(nvml.handle(0), Err(16));
    assert!(nvml.handle(1).is_ok());
}

#[test]
fn numbers_out_of_range() {
    let fake = with("fn = \"nvmlDeviceGet*\"\nvalue = 4_000_000_000");
    let nvml = Nvml::initialised(&fake);
    let device = nvml.device(0);
    // SAFETY: the closure's pointer is a place for one answer of the right type.
    unsafe {
        let rates = read(|out| nvml.nvmlDeviceGetUtilizationRates(device, out)).unwrap();
        assert_eq!((rates.gpu, rates.memory), (4_000_000_000, 4_000_000_000));
        let heat = read(|out| nvml.nvmlDeviceGetTemperature(device, 0, out));
        assert_eq!(heat, Ok(4_000_000_000));
        let memory = read(|out| nvml.nvmlDeviceGetMemoryInfo(device, out)).unwrap();
        assert!(memory.used > memory.total);
    }
}

#[test]
fn texts_that_are_none() {
    for (kind, check) in [
        ("no-nul", (|b| !b.contains(&0)) as fn(&[u8]) -> bool),
        ("invalid-utf8", |b| std::str::from_utf8(b).is_err()),
        ("escape", |b| b.contains(&0x1b)),
        ("bidi", |b| std::str::from_utf8(&b[..30]).is_ok_and(|t| t.contains('\u{202e}'))),
        ("empty", |b| b[0] == 0),
    ] {
        let fake = with(&format!("fn = \"nvmlDeviceGetName\"\ntext = \"{kind}\""));
        let nvml = Nvml::initialised(&fake);
        assert!(check(&nvml.name_bytes(nvml.device(0))), "{kind}");
    }
    let fake = with("fn = \"nvmlDeviceGetName\"\ntext_literal = \"GPU \\\"0\\\"\"");
    let nvml = Nvml::initialised(&fake);
    assert_eq!(nvml.name(nvml.device(0)), "GPU \"0\"");
}

#[test]
fn a_call_hangs_until_it_is_released_and_holds_up_no_other() {
    let fake = with("fn = \"*PowerUsage\"\ngpu = 0\nhang = \"until-released\"");
    let nvml = Nvml::initialised(&fake);
    let (first, second) = (nvml.device(0).addr(), nvml.device(1));
    std::thread::scope(|scope| {
        let (nvml, fake) = (&nvml, &fake);
        let stuck = scope.spawn(move || nvml.power(std::ptr::without_provenance_mut(first)));
        while fake.calls().iter().all(|call| call.function != "nvmlDeviceGetPowerUsage") {
            std::thread::yield_now();
        }
        assert_eq!(nvml.power(second), Ok(100_000));
        fake.advance(Duration::from_secs(1));
        std::thread::sleep(Duration::from_millis(20));
        assert!(!stuck.is_finished());
        fake.release();
        assert_eq!(stuck.join().unwrap(), Ok(100_000));
    });
}

#[test]
fn latency_takes_time_only_where_it_is_real() {
    let fake = with("fn = \"*PowerUsage\"\nlatency = \"30ms\"");
    let nvml = Nvml::initialised(&fake);
    let device = nvml.device(0);
    let time = |nvml: &Nvml| {
        let start = Instant::now();
        nvml.power(device).unwrap();
        start.elapsed()
    };
    assert!(time(&nvml) < Duration::from_millis(25));
    fake.update("[[fault]]\nfn = \"*PowerUsage\"\nlatency = \"30ms\"\nlatency_real = true")
        .unwrap();
    assert!(time(&nvml) >= Duration::from_millis(30));
}

#[test]
fn what_cuda_14_drops_answers_26() {
    let fake = Fake::scenario("preset = \"h100\"\n[lib]\ncuda14 = true").unwrap();
    let nvml = Nvml::initialised(&fake);
    let device = nvml.device(0);
    // SAFETY: the closure's pointer is a place for one answer of the right type.
    unsafe {
        let heat = read(|out| nvml.nvmlDeviceGetTemperature(device, 0, out));
        assert_eq!(heat, Err(26));
        let reasons = read(|out| nvml.nvmlDeviceGetCurrentClocksEventReasons(device, out));
        assert!(reasons.is_ok());
    }
}

//! Scenarios: overlays, variants for other processes, and errors that say where they are.

use fake_nvml::Fake;

use crate::support::{Nvml, has_symbol};

#[test]
fn an_error_names_the_key() {
    for (toml, part) in [
        ("[lib]\ndirver = \"1\"", "dirver"),
        ("[[gpu]]\n[gpu.metrics]\nutyl = 3", "gpu[0]: metrics.utyl"),
        ("[[gpu]]\n[[gpu]]\nmetrics = { util = \"sqare(1)\" }", "gpu[1]: metrics.util: `sqare`"),
        ("[[gpu]]\npreset = \"h1000\"", "gpu[0]: `h1000` is not a preset"),
        ("preset = \"h1000\"", "`h1000` is not a preset"),
        ("[[gpu]]\nfanns = 2", "fanns"),
        ("[[gpu]]\nmemory = \"lots\"", "lots"),
        ("[[gpu]]\nbdf = \"x\"", "`x` is not a PCI address"),
        ("[[fault]]\nat = \"soon\"", "fault[0]"),
        ("[[fault]]\nat = \"2s\"\nuntil = \"1s\"", "fault[0]: `until`"),
        ("[[fault]]\ndo = \"explode\"", "explode"),
        ("[[fault]]\ndata = 79", "fault[0]: `type`, `data`"),
        ("[[fault]]\ndo = \"event\"", "which needs one"),
        ("[[gpu]]\ncount = 65", "65 GPUs"),
        ("[lib]\nmissing = [\"nvmlNone\"]", "`nvmlNone` in lib.missing"),
        ("[lib", "TOML"),
    ] {
        let error = Fake::scenario(toml).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(part), "{toml:?}: {error}");
    }
}

#[test]
fn a_preset_may_be_changed_for_every_gpu() {
    let fake = Fake::scenario("preset = \"h100\"\n[each.metrics]\npower = \"123W\"").unwrap();
    let nvml = Nvml::initialised(&fake);
    assert_eq!(nvml.count(), Ok(8));
    assert_eq!(nvml.power(nvml.device(6)), Ok(123_000));
    assert!(nvml.energy(nvml.device(6)).is_ok());
}

#[test]
fn an_update_leaves_clock_and_handles_alone() {
    let fake = Fake::preset("h100").unwrap();
    let nvml = Nvml::initialised(&fake);
    let device = nvml.device(0);
    fake.advance(std::time::Duration::from_secs(9));
    fake.update("[[fault]]\nfn = \"*PowerUsage\"\ncode = 3").unwrap();
    assert_eq!((fake.now_us(), nvml.power(device)), (9_000_000, Err(3)));
    fake.update("fault = []").unwrap();
    assert!(nvml.power(device).is_ok());
    assert!(fake.update("[[fault]]\ncodd = 3").is_err());
    assert!(nvml.power(device).is_ok());
}

#[test]
fn a_missing_symbol_is_gone_and_no_other() {
    let fake = Fake::scenario("preset = \"h100\"\n[lib]\nmissing = [\"nvmlDeviceGetTemperature\"]")
        .unwrap();
    assert!(!has_symbol(&fake, "nvmlDeviceGetTemperature"));
    for other in ["nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperatureThreshold", "nvmlInit"] {
        assert!(has_symbol(&fake, other), "{other}");
    }
}

#[test]
fn another_process_gets_a_variant() {
    let folder = std::env::temp_dir().join(format!("fake-nvml-variant-{}", std::process::id()));
    let variant = Fake::write_variant(&folder, "preset = \"t4\"").unwrap();
    assert_eq!(variant.library, folder.join("libnvidia-ml.so.1"));
    assert_eq!(std::fs::read_to_string(&variant.scenario).unwrap(), "preset = \"t4\"");
    std::fs::remove_dir_all(folder).unwrap();
}

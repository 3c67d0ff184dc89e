//! The program `nvsdk-top`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A second installation is the only way this fails, and the program is fine without it.
    let _ = color_eyre::config::HookBuilder::default().display_env_section(false).install();
    nvsdk_top::run::main(std::env::args_os())
}

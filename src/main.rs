//! The program `nvsdk-top`.

use std::process::ExitCode;

fn main() -> ExitCode {
    nvsdk_top::run::main(std::env::args_os())
}

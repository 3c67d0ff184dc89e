//! The program `nvsdk-top`.

fn main() {}

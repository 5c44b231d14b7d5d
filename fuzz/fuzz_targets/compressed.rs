#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gan_metrics_fuzz::run("compressed", bytes));

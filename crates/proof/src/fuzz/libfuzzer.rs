//! The same targets under libFuzzer, which sees which branches an input takes.
//!
//! What must stay true: an input is bounded as it is without libFuzzer (length, stack, time); the committed corpus is read and
//! never written.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use stator_driver::server::bound_to_us;
use stator_fuzz::Target;

use super::mutate::BYTES_MAX;
use super::worker::{HANG, STACK_BYTES};
use super::{Counts, corpus};
use crate::verdict::{Violation, broken, found};

/// The most memory that a process may ever have had: some 50 MiB of its own, the inputs that it keeps, and what one input may take.
const RESIDENT_MIB_MAX: u32 = 200;
const WHAT_IS_NEEDED: &str = "a nightly toolchain and cargo-fuzz are needed (rustup toolchain install nightly; cargo install cargo-fuzz)";

/// The programs that cargo-fuzz made.
pub(crate) struct Libfuzzer {
    programs: PathBuf,
}

impl Libfuzzer {
    /// Builds all targets, which takes minutes for the first time. Without a sanitizer: there is no `unsafe` to look at.
    pub(crate) fn build() -> Result<Libfuzzer, Violation> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let built = nightly("cargo").args(["fuzz", "build", "--sanitizer", "none", "--fuzz-dir"]).arg(&folder).status();
        if !built.is_ok_and(|status| status.success()) {
            return Err(broken(format!("the targets can not be built: {WHAT_IS_NEEDED}")));
        }
        let said = nightly("rustc").arg("-vV").output().map_err(broken)?.stdout;
        let said = String::from_utf8_lossy(&said);
        let host = said.lines().find_map(|line| line.strip_prefix("host: ")).ok_or_else(|| broken("rustc does not name its host"))?;
        Ok(Libfuzzer { programs: folder.join("target").join(host).join("release") })
    }

    /// Runs a target, which writes what it keeps to a folder.
    pub(super) fn run(&self, folder: &Path, seed: u64, target: &Target, seconds: u64) -> Result<Counts, Violation> {
        let (kept, words, log) =
            (folder.join(target.name), folder.join(format!("{}.dict", target.name)), folder.join(format!("{}.log", target.name)));
        fs::create_dir_all(&kept)?;
        fs::write(&words, dictionary(target.words))?;
        // libFuzzer calls its target on the main thread, whose stack is set from outside.
        let mut command = bound_to_us(Path::new("/bin/sh"));
        command.args(["-c", r#"ulimit -s "$0" && exec "$@""#]).arg((STACK_BYTES >> 10).to_string());
        command.arg(self.programs.join(target.name));
        command.args(limits(seed, seconds)).arg(format!("-dict={}", words.display()));
        command.arg(format!("-artifact_prefix={}/{}-", folder.display(), target.name));
        command.arg(&kept).arg(corpus(target));
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?).status().map_err(broken)?;
        let said = fs::read(&log)?;
        let said = String::from_utf8_lossy(&said);
        if status.success() {
            return counts(&said).ok_or_else(|| broken(format!("{}: libFuzzer told no figures: {}", target.name, log.display())));
        }
        let why: Vec<&str> = said.lines().filter(|line| tells_why(line)).collect();
        Err(found(format!("{} does not withstand ({status}; {}): {}", target.name, log.display(), why.join(" / "))))
    }
}

/// A program of the nightly toolchain, whatever toolchain we were started by.
fn nightly(program: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", program]).env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    command
}

fn limits(seed: u64, seconds: u64) -> Vec<String> {
    // libFuzzer's seed has 32 bits, and 0 is one by chance.
    let seed = u32::try_from(seed % u64::from(u32::MAX)).unwrap_or_default() + 1;
    vec![
        format!("-seed={seed}"),
        format!("-max_total_time={seconds}"),
        format!("-max_len={BYTES_MAX}"),
        format!("-timeout={}", HANG.as_secs()),
        format!("-rss_limit_mb={RESIDENT_MIB_MAX}"),
        "-print_final_stats=1".to_owned(),
    ]
}

/// Words as libFuzzer reads them: in quotes, what is not plain by its number.
fn dictionary(words: &[&str]) -> String {
    let plain = |byte: u8| (byte.is_ascii_graphic() || byte == b' ') && !matches!(byte, b'"' | b'\\');
    let spelled = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("\\x{byte:02X}") };
    words.iter().map(|word| format!("\"{}\"\n", word.bytes().map(spelled).collect::<String>())).collect()
}

/// Lines of libFuzzer and of a panic that say what happened.
fn tells_why(line: &str) -> bool {
    line.contains("panicked at") || line.contains("ERROR: libFuzzer") || line.contains("Test unit written")
}

fn counts(said: &str) -> Option<Counts> {
    let figure = |label: &str| said.lines().find_map(|line| line.strip_prefix(label)?.trim().parse().ok());
    Some(Counts { inputs: figure("stat::number_of_executed_units:")?, kept: figure("stat::new_units_added:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_figures_are_those_of_libfuzzer() {
        assert_eq!(dictionary(&["SET ", "\"a\\\0"]), "\"SET \"\n\"\\x22a\\x5C\\x00\"\n");
        let said = "Done 9 runs in 2 second(s)\nstat::number_of_executed_units: 9\nstat::new_units_added:          4\n";
        assert_eq!(counts(said), Some(Counts { inputs: 9, kept: 4 }));
        assert_eq!(counts("nothing"), None);
        assert!(limits(u64::MAX, 3).contains(&"-max_total_time=3".to_owned()));
    }
}

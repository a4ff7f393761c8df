//! Builds RocksDB once per machine, as a unity build, into an archive that every profile and clone links.
//!
//! File by file the sources take about twenty minutes on two cores, for each profile, most of it to read the same headers
//! again. Here six generated files include them all, which takes a quarter of that, and the finished archive is kept in the
//! user's cache under the hash of everything that went into it. `.cargo/config.toml` sets `ROCKSDB_LIB_DIR`, so that `librocksdb-sys` does not compile
//! them itself. Where that variable is not ours (a `cargo install` from elsewhere), the work is left to `librocksdb-sys`.
//!
//! What must stay true: the defines and flags are those of `librocksdb-sys`'s own build; a half-written archive is never
//! seen, because it is written aside and renamed; this script runs again for nothing but its own change.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Sources per generated file at most: the headers cost as much as forty sources, and two cores are to share the work.
const SOURCES_PER_UNIT: usize = 75;

/// Folders with fewer sources share generated files.
const SOURCES_OF_OWN_UNIT_MIN: usize = 50;

const WARNINGS_OFF: &str = "-w";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=ROCKSDB_LIB_DIR");
    let Some(sources) = variable("DEP_ROCKSDB_CARGO_MANIFEST_DIR").map(PathBuf::from) else { return };
    let is_ours = variable("ROCKSDB_LIB_DIR").is_some_and(|dir| Path::new(&dir).ends_with("target/rocksdb"));
    if !is_ours {
        return;
    }
    let cache = cache_directory(&sources);
    let archive = cache.join("librocksdb.a");
    if !archive.exists() {
        build_under_lock(&sources, &cache, &archive);
    }
    println!("cargo:rustc-link-search=native={}", cache.display());
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where the archive of these sources, flags and compiler is kept.
fn cache_directory(sources: &Path) -> PathBuf {
    let root = variable("XDG_CACHE_HOME").map(PathBuf::from);
    let root = root.or_else(|| variable("HOME").map(|home| Path::new(&home).join(".cache")));
    let root = root.unwrap_or_else(|| PathBuf::from(variable("OUT_DIR").expect("cargo sets OUT_DIR")));
    // Without the include paths: they lie in the target directory of one profile of one clone, and what they hold is fixed
    // by the versions of the sources.
    let compiler = flags().get_compiler();
    let version = std::process::Command::new(compiler.path()).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    (
        compiler.args(),
        version,
        SOURCES_PER_UNIT,
        SOURCES_OF_OWN_UNIT_MIN,
        fs::read(sources.join("rocksdb_lib_sources.txt")).unwrap_or_default(),
    )
        .hash(&mut hasher);
    fs::read(sources.join("build_version.cc")).unwrap_or_default().hash(&mut hasher);
    let name = sources.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    root.join("stator").join(format!("{}-{:016x}", name.replace("librocksdb-sys", "rocksdb"), hasher.finish()))
}

/// Builds, unless another build on this machine does so already; then waits for it.
fn build_under_lock(sources: &Path, cache: &Path, archive: &Path) {
    fs::create_dir_all(cache).expect("the cache directory can be made");
    let lock = fs::File::create(cache.join("lock")).expect("the cache directory can be written");
    lock.lock().expect("the cache directory can be locked");
    if archive.exists() {
        return;
    }
    #[expect(clippy::disallowed_methods, reason = "a build script tells how long it took")]
    let started = Instant::now();
    say("building the storage engine (RocksDB) once for this machine; this takes about four minutes on two cores");
    let built = compile(sources);
    let aside = cache.join(format!("librocksdb.{}.tmp", std::process::id()));
    fs::copy(&built, &aside).expect("the cache directory can be written");
    fs::rename(&aside, archive).expect("the archive can be renamed");
    say(&format!("the storage engine was built in {} s and is kept in {}", started.elapsed().as_secs(), cache.display()));
}

/// Tells whoever waits: on the terminal, if there is one, since cargo shows nothing before a build script has ended.
fn say(text: &str) {
    match fs::OpenOptions::new().write(true).open("/dev/tty") {
        Ok(mut terminal) => drop(writeln!(terminal, "   Stator: {text}")),
        Err(_) => println!("cargo:warning={text}"),
    }
}

fn configuration(sources: &Path) -> cc::Build {
    let rocksdb = sources.join("rocksdb");
    let mut build = flags();
    build.include(rocksdb.join("include")).include(&rocksdb).include(sources);
    build.include(rocksdb.join("third-party/gtest-1.8.1/fused-src"));
    for path in ["DEP_LZ4_INCLUDE", "DEP_ZSTD_INCLUDE"].into_iter().filter_map(variable) {
        build.includes(std::env::split_paths(&path));
    }
    build
}

/// Everything that decides what comes out, beside the sources.
fn flags() -> cc::Build {
    let mut build = cc::Build::new();
    build.cpp(true).opt_level(2).debug(false).std("c++20").flag("-include").flag("cstdint").flag(WARNINGS_OFF).warnings(false);
    build.define("LZ4", "1").define("ZSTD", "1");
    build.define("NDEBUG", "1").define("HAVE_ALIGNED_NEW", None).define("HAVE_UINT128_EXTENSION", None);
    let platform: &[&str] = match variable("CARGO_CFG_TARGET_OS").as_deref() {
        Some("macos") => &["OS_MACOSX"],
        _ => &[
            "OS_LINUX",
            "ROCKSDB_SCHED_GETCPU_PRESENT",
            "ROCKSDB_AUXV_GETAUXVAL_PRESENT",
            "ROCKSDB_FALLOCATE_PRESENT",
            "ROCKSDB_RANGESYNC_PRESENT",
        ],
    };
    for define in platform.iter().chain(&["ROCKSDB_PLATFORM_POSIX", "ROCKSDB_LIB_IO_POSIX"]) {
        build.define(define, None);
    }
    // Without these instructions every checksum is computed in software.
    match variable("CARGO_CFG_TARGET_ARCH").as_deref() {
        Some("x86_64") => build.flag("-msse4.2").flag("-mpclmul"),
        Some("aarch64") => build.flag("-march=armv8-a+crc+aes+crypto"),
        _ => &mut build,
    };
    build
}

/// Compiles the units; answers the archive.
fn compile(sources: &Path) -> PathBuf {
    let out = PathBuf::from(variable("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut build = configuration(sources);
    for (number, unit) in units(sources).iter().enumerate() {
        let path = out.join(format!("unit-{number}.cc"));
        let text: String = unit.iter().map(|source| format!("#include \"{}\"\n", source.display())).collect();
        fs::write(&path, text).expect("OUT_DIR can be written");
        build.file(path);
    }
    build.cargo_metadata(false).compile("rocksdb");
    println!("cargo:rustc-link-lib=dylib=stdc++");
    out.join("librocksdb.a")
}

/// The sources in groups: large folders by themselves, the small ones together.
fn units(sources: &Path) -> Vec<Vec<PathBuf>> {
    let list = fs::read_to_string(sources.join("rocksdb_lib_sources.txt")).expect("librocksdb-sys lists its sources");
    let listed = list.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "util/build_version.cc");
    let mut folders: Vec<(&str, Vec<PathBuf>)> = Vec::new();
    for source in listed {
        let folder = source.split('/').next().unwrap_or_default();
        let path = sources.join("rocksdb").join(source);
        match folders.iter_mut().find(|(name, _)| *name == folder) {
            Some((_, paths)) => paths.push(path),
            None => folders.push((folder, vec![path])),
        }
    }
    let (mut groups, small): (Vec<_>, Vec<_>) =
        folders.into_iter().map(|(_, paths)| paths).partition(|paths| paths.len() >= SOURCES_OF_OWN_UNIT_MIN);
    groups.push(small.concat());
    let mut units: Vec<Vec<PathBuf>> = groups.iter().flat_map(|paths| in_equal_parts(paths)).collect();
    // The largest first, so that no core is left with one of them in the end.
    units.sort_by_key(|unit| std::cmp::Reverse(unit.iter().filter_map(|path| fs::metadata(path).ok()).map(|file| file.len()).sum::<u64>()));
    units.push(vec![sources.join("build_version.cc")]);
    units
}

fn in_equal_parts(paths: &[PathBuf]) -> impl Iterator<Item = Vec<PathBuf>> {
    let parts = paths.len().div_ceil(SOURCES_PER_UNIT).max(1);
    paths.chunks(paths.len().div_ceil(parts).max(1)).map(<[PathBuf]>::to_vec)
}

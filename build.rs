//! Puts the GraphiQL page into the binary: makes the page with npm where it is missing or older than its sources, and
//! writes `graphiql_assets.rs`, the table of its files. Without Node.js, or without a network at the first build, the
//! table is empty and the build goes on: the API needs no page.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// Set to `1`, npm is not run: the page is in the build only if it has been made before.
const SKIP: &str = "DUALCASTER_SKIP_GRAPHIQL";

/// What the page is made of, within `clients/graphiql`. The list is in `vite.config.js` too.
const INPUTS: [&str; 6] =
    [".npmrc", "index.html", "package-lock.json", "package.json", "src", "vite.config.js"];

/// Says which inputs a page was made of. Vite writes it, so that a page made by hand or in another container counts.
const STAMP: &str = ".stamp";

fn main() -> io::Result<()> {
    let source = folder("CARGO_MANIFEST_DIR")?.join("clients/graphiql");
    let out = folder("OUT_DIR")?;
    tell("rerun-if-changed=build.rs")?;
    tell(&format!("rerun-if-env-changed={SKIP}"))?;
    for input in INPUTS {
        tell(&format!("rerun-if-changed=clients/graphiql/{input}"))?;
    }
    let stamp = || fs::read(source.join("dist").join(STAMP)).ok();
    let before = stamp();
    let files = match page(&source, &out) {
        Ok(files) => files,
        Err(why) => {
            tell(&format!("warning=The GraphiQL page is not in this build: {why}."))?;
            Vec::new()
        }
    };
    // To watch a file that is not there, or that this build has written, would make the next build compile the server
    // anew for nothing.
    if before.is_some() && before == stamp() {
        tell(&format!("rerun-if-changed=clients/graphiql/dist/{STAMP}"))?;
    }
    fs::write(out.join("graphiql_assets.rs"), table(&files))
}

/// The files of the page, which are then in `OUT_DIR/graphiql`: a copy of this build's own, so that another build which
/// replaces `dist` meanwhile takes nothing away. None where the page is left out on purpose.
fn page(source: &Path, out: &Path) -> Result<Vec<String>, String> {
    let wanted = stamp_of(source).map_err(|error| format!("its sources can't be read ({error})"))?;
    let dist = source.join("dist");
    let copy = out.join("graphiql");
    if is_made_of(&dist, &wanted) {
        replace(&dist, &copy).map_err(|error| format!("it can't be copied ({error})"))?;
    } else if env::var_os(SKIP).is_some_and(|skip| skip == "1") {
        return Ok(Vec::new());
    } else {
        let made = make(source, out)?;
        if !is_made_of(&made, &wanted) {
            return Err("npm made it of other sources than these".to_owned());
        }
        replace(&made, &copy).map_err(|error| format!("it can't be copied ({error})"))?;
        // For the other profiles' builds. A source tree that can't be written to only makes them slower.
        let _ = publish(&made, &dist, &wanted);
        // Hundreds of megabytes, and not needed before the sources change.
        let _ = fs::remove_dir_all(out.join("graphiql-build"));
    }
    let mut files = Vec::new();
    list(&copy, "", &mut files).map_err(|error| format!("it can't be listed ({error})"))?;
    files.retain(|file| file != STAMP);
    Ok(files)
}

/// Makes the page in a folder of this build's own: `npm ci` in the source tree would take the packages away from
/// whoever works there, or from another build.
fn make(source: &Path, out: &Path) -> Result<PathBuf, String> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    for program in ["node", npm] {
        let answers = Command::new(program).arg("--version").output();
        if !answers.is_ok_and(|output| output.status.success()) {
            return Err(format!("{program} is not installed (Node.js 20.19 or newer has it)"));
        }
    }
    let workshop = out.join("graphiql-build");
    let log = out.join("graphiql-npm.log");
    let prepare = || {
        remove(&workshop)?;
        fs::create_dir_all(&workshop)?;
        INPUTS.iter().try_for_each(|input| copy_all(&source.join(input), &workshop.join(input)))
    };
    prepare().map_err(|error| format!("its sources can't be copied ({error})"))?;
    // Where a deployment sets NODE_ENV=production, npm leaves out what builds. No package here has an install script.
    let steps: [&[&str]; 2] = [
        &["ci", "--no-audit", "--no-fund", "--include=dev", "--ignore-scripts", "--prefer-offline"],
        &["run", "build"],
    ];
    for step in steps {
        // Captured, or cargo would take what npm prints for instructions.
        let output = Command::new(npm).args(step).current_dir(&workshop).output();
        let output = output.map_err(|error| format!("npm can't be run ({error})"))?;
        if !output.status.success() {
            let _ = fs::write(&log, [output.stdout, output.stderr].concat());
            return Err(format!("`npm {}` failed, and said why in {}", step.join(" "), log.display()));
        }
    }
    Ok(workshop.join("dist"))
}

/// Puts the page where the next build finds it. The name is given last, to a whole folder: of two builds that do this at
/// once, either's page is there, and it is whole.
fn publish(made: &Path, dist: &Path, wanted: &str) -> io::Result<()> {
    let beside = |what: &str| dist.with_file_name(format!(".dist-{what}-{}", std::process::id()));
    let (new, old) = (beside("new"), beside("old"));
    replace(made, &new)?;
    if dist.exists() {
        // The other build may have moved it away already.
        let _ = fs::rename(dist, &old);
    }
    let renamed = fs::rename(&new, dist);
    remove(&old)?;
    remove(&new)?;
    if is_made_of(dist, wanted) { Ok(()) } else { renamed }
}

fn is_made_of(dist: &Path, wanted: &str) -> bool {
    fs::read_to_string(dist.join(STAMP)).is_ok_and(|stamp| stamp.trim() == wanted)
}

/// A hash (FNV-1a, 64 bits) of the inputs' names and contents, as `vite.config.js` makes it. Not their times: a fresh
/// clone has new times for old files.
fn stamp_of(source: &Path) -> io::Result<String> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    let mut files = Vec::new();
    for input in INPUTS {
        list(&source.join(input), input, &mut files)?;
    }
    for file in files {
        take(file.as_bytes());
        take(&[0]);
        take(&fs::read(source.join(&file))?);
        take(&[0]);
    }
    Ok(format!("{hash:016x}"))
}

/// The files under a path, or the one it is, by the names they have from `name` on, with `/` between, sorted.
fn list(path: &Path, name: &str, files: &mut Vec<String>) -> io::Result<()> {
    if !path.is_dir() {
        fs::metadata(path)?;
        files.push(name.to_owned());
        return Ok(());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?.file_name();
        names.push(
            entry.into_string().map_err(|name| io::Error::other(format!("{name:?} is not a plain name")))?,
        );
    }
    names.sort_unstable();
    for entry in names {
        let full = if name.is_empty() { entry.clone() } else { format!("{name}/{entry}") };
        list(&path.join(&entry), &full, files)?;
    }
    Ok(())
}

/// The table as a Rust expression. It names no folder of this machine.
fn table(files: &[String]) -> String {
    let mut table = "&[\n".to_owned();
    for file in files {
        let path = format!("/graphiql/{file}");
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "    ({file:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), {path:?})).as_slice()),"
        );
    }
    table.push_str("]\n");
    table
}

fn replace(from: &Path, to: &Path) -> io::Result<()> {
    remove(to)?;
    copy_all(from, to)
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(|_| ());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        copy_all(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

/// A folder that is not there is removed already.
fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn folder(variable: &str) -> io::Result<PathBuf> {
    let value: Option<OsString> = env::var_os(variable);
    value.map(PathBuf::from).ok_or_else(|| io::Error::other(format!("cargo did not set {variable}")))
}

/// Tells cargo.
fn tell(what: &str) -> io::Result<()> {
    writeln!(io::stdout(), "cargo:{what}")
}

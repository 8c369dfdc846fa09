//! What a development server makes for itself and keeps in its data folder: its secret, and the key of its tokens.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::outside::Outside;

const SECRET: &str = "secret";
const SECRET_LENGTH: usize = 32;
const KEY: &str = "jwt-key.pem";

/// The folder's secret; made, where there is none.
///
/// # Errors
/// When the folder can't be read or written.
pub fn load_or_make_secret(data_dir: &Path, outside: &Outside) -> io::Result<String> {
    let secret = load_or_make(data_dir, SECRET, || Ok(STANDARD_NO_PAD.encode(outside.bytes::<32>())))?;
    let secret = secret.trim().to_owned();
    if secret.len() < SECRET_LENGTH {
        return Err(io::Error::other(format!("{SECRET} is damaged; remove it and start again")));
    }
    Ok(secret)
}

/// The folder's key, in PEM; made, where there is none.
///
/// # Errors
/// When the folder can't be read or written.
pub fn load_or_make_key(data_dir: &Path) -> io::Result<String> {
    load_or_make(data_dir, KEY, || crate::identity::make_key().map_err(io::Error::other))
}

/// A file that its owner alone may read.
fn load_or_make(data_dir: &Path, name: &str, make: impl Fn() -> io::Result<String>) -> io::Result<String> {
    fs::create_dir_all(data_dir)?;
    let path = data_dir.join(name);
    if path.exists() {
        return fs::read_to_string(&path);
    }
    // Whole or not at all: two servers may start at once, and one may be killed.
    let mut draft = tempfile::NamedTempFile::new_in(data_dir)?;
    draft.write_all(make()?.as_bytes())?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(&path) {
        Ok(_) => {}
        // The other was first.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.error),
    }
    fs::read_to_string(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_and_a_key_are_made_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let outside = Outside::system();
        let made = load_or_make_secret(folder.path(), &outside).expect("a secret");
        assert_eq!(load_or_make_secret(folder.path(), &outside).expect("a secret"), made);
        let key = load_or_make_key(folder.path()).expect("a key");
        assert_eq!(load_or_make_key(folder.path()).expect("a key"), key);
        #[cfg(unix)]
        for name in [SECRET, KEY] {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join(name)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name} is for its owner only");
        }
        fs::write(folder.path().join(SECRET), "").expect("written");
        assert!(load_or_make_secret(folder.path(), &outside).is_err());
    }
}

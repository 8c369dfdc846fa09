//! The secret that a development server makes for itself and keeps in its data folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rand::RngExt;

const FILE: &str = "secret";

/// The folder's secret; made, readable by its owner only, where there is none.
///
/// # Errors
/// When the folder can't be read or written.
pub fn load_or_make(data_dir: &Path) -> io::Result<String> {
    fs::create_dir_all(data_dir)?;
    let path = data_dir.join(FILE);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(mut file) => {
            let bytes: [u8; 32] = rand::rng().random();
            let secret = STANDARD_NO_PAD.encode(bytes);
            file.write_all(secret.as_bytes())?;
            Ok(secret)
        }
        // Two servers that start at once: the second takes what the first made.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let secret = fs::read_to_string(&path)?.trim().to_owned();
            if secret.len() < 32 {
                return Err(io::Error::other(format!("{FILE} is damaged; remove it and start again")));
            }
            Ok(secret)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = load_or_make(folder.path()).expect("a secret");
        assert_eq!(load_or_make(folder.path()).expect("a secret"), made);
        fs::write(folder.path().join(FILE), "").expect("written");
        assert!(load_or_make(folder.path()).is_err());
    }
}

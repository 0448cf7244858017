//! What the data directory keeps besides the cloud: its name and id, the vault's
//! key file and the projects' admin keys, readable by their owner only.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use stt_eval_shared::access::keys::{PresentedKey, Role};
use stt_eval_shared::access::projects::{ensure_project, issue_key};
use stt_eval_shared::crypto::random;
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::store::Store;

use crate::error::NodeError;

/// Writes a file that only its owner may read, all of it or nothing.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(part, path)
}

/// The id of this deployment, made at the first start.
///
/// Names at providers begin with it, so no other data directory has the same:
/// with one key of a provider each would take the other's batches for its own
/// leftovers. A copy of the directory has it too, and must not run beside it.
pub fn deployment(data: &Path) -> Result<String, NodeError> {
    let path = data.join("deployment");
    let failed = |e: io::Error| NodeError(format!("{}: {e}", path.display()));
    match fs::read_to_string(&path) {
        Ok(id) => return Ok(id.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let nonce: [u8; 16] = random().map_err(|e| NodeError(e.to_string()))?;
    let id = hex::encode(nonce);
    write_private(&path, &id).map_err(failed)?;
    Ok(id)
}

/// The name of this deployment, made at the first start. Batches of release
/// 0.1.0 begin with it.
pub fn stage(data: &Path) -> Result<String, NodeError> {
    let path = data.join("stage");
    let failed = |e: io::Error| NodeError(format!("{}: {e}", path.display()));
    match fs::read_to_string(&path) {
        Ok(name) => return Ok(name),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    // What an earlier release began bears this name.
    let name = if data.join("vault.key").exists() {
        "local".to_owned()
    } else {
        let nonce: [u8; 4] = random().map_err(|e| NodeError(e.to_string()))?;
        format!("local-{}", hex::encode(nonce))
    };
    write_private(&path, &name).map_err(failed)?;
    Ok(name)
}

/// The vault's key file, made at the first start.
pub fn vault_key(data: &Path) -> Result<PathBuf, NodeError> {
    let path = data.join("vault.key");
    if !path.exists() {
        let key: [u8; 32] = random().map_err(|e| NodeError(e.to_string()))?;
        write_private(&path, &hex::encode(key))
            .map_err(|e| NodeError(format!("the vault's key can't be written: {e}")))?;
    }
    Ok(path)
}

/// Admin keys of the projects, by name.
#[derive(Debug)]
pub struct ProjectKeys {
    path: PathBuf,
    keys: BTreeMap<String, String>,
}

impl ProjectKeys {
    /// Reads what earlier starts kept.
    pub fn open(data: &Path) -> Result<Self, NodeError> {
        let path = data.join("project-keys.json");
        let keys = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .map_err(|e| NodeError(format!("{} can't be read: {e}", path.display())))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(NodeError(format!("{}: {error}", path.display()))),
        };
        Ok(Self { path, keys })
    }

    /// Makes the project if it is new; gives an admin key of it, the same one
    /// at every start for as long as it is not revoked.
    pub async fn ensure(
        &mut self,
        store: &Store,
        project: &ProjectId,
    ) -> Result<String, NodeError> {
        let failed = |e: &dyn std::fmt::Display| NodeError(e.to_string());
        let now = Timestamp::now();
        let known = ensure_project(store, project, now)
            .await
            .map_err(|e| failed(&e))?;
        if let Some(text) = self.keys.get(project.as_str())
            && let Some(presented) = PresentedKey::parse(text)
            && store
                .verifier(presented.id)
                .await
                .map_err(|e| failed(&e))?
                .is_some_and(|verifier| presented.proves(&verifier))
        {
            return Ok(text.clone());
        }
        let name = "local admin".to_owned();
        let key = issue_key(store, &known, name, Role::Admin, now)
            .await
            .map_err(|e| failed(&e))?;
        let text = secrecy::ExposeSecret::expose_secret(&key.text).to_owned();
        self.keys.insert(project.to_string(), text.clone());
        let json =
            serde_json::to_string_pretty(&self.keys).map_err(|e| NodeError(e.to_string()))?;
        write_private(&self.path, &json)
            .map_err(|e| NodeError(format!("{}: {e}", self.path.display())))?;
        Ok(text)
    }
}

//! A second implementation of the AWS protocols: `ministack`, from `PyPI`.
//!
//! With the path of its program in `MINISTACK_BIN` every [`Machine`](crate::Machine)
//! has one of its own in place of the embedded cloud, and the same tests prove
//! the same behaviour on code that shares nothing with it.

use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(90);

/// A process that runs, and ends with this.
pub struct Emulator {
    /// Its address.
    pub url: String,
    process: Child,
    /// Where it keeps everything.
    _home: TempDir,
}

impl Emulator {
    /// Starts one if `MINISTACK_BIN` names the program.
    pub async fn wanted() -> Option<Self> {
        let program = std::env::var_os("MINISTACK_BIN")?;
        let home = tempfile::tempdir().unwrap();
        // Free now, and hardly taken by another process in the moment between.
        let probe = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let url = format!("http://{address}");
        let log = File::create(home.path().join("log")).unwrap();
        let process = Command::new(program)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home.path())
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", address.port().to_string())
            .env("MINISTACK_HOST", "127.0.0.1")
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut emulator = Self {
            url,
            process,
            _home: home,
        };
        emulator.ready().await;
        Some(emulator)
    }

    async fn ready(&mut self) {
        let begun = Instant::now();
        loop {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "the emulator ended: {ended:?}");
            if tokio::net::TcpStream::connect(self.url.trim_start_matches("http://"))
                .await
                .is_ok()
            {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the emulator does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It has ended already, or is ended: either way it is gone.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

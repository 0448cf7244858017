//! What is typed without being shown.

use std::io;

/// Asks for a secret on the terminal.
///
/// # Errors
/// It can't be read; of kind `Interrupted` where Ctrl-C was pressed.
pub fn prompt(what: &str) -> io::Result<String> {
    let asked = interrupts::Asked::now()?;
    let text = rpassword::prompt_password(format!("{what} (not shown): "));
    drop(asked);
    text
}

/// Ctrl-C kills a program that waits for a key before its terminal shows again what is typed:
/// it must end the question first, and only then the program.
#[cfg(unix)]
mod interrupts {
    use std::fs::OpenOptions;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
    use tokio::runtime::Builder;
    use tokio::signal::unix::{SignalKind, signal};

    /// Exit code of what Ctrl-C has stopped.
    const INTERRUPTED: i32 = 130;
    /// How long a question may take to end itself, and to say so.
    const GRACE: Duration = Duration::from_millis(200);

    /// While it is there, Ctrl-C gives the question time to end itself.
    pub struct Asked(Arc<AtomicBool>);

    impl Asked {
        /// From now on. A signal that is caught once is caught for good: behind the question
        /// Ctrl-C ends the program at once, as it did before.
        pub fn now() -> io::Result<Self> {
            let is_asked = Arc::new(AtomicBool::new(true));
            let runtime = Builder::new_current_thread().enable_io().build()?;
            let guard = runtime.enter();
            let mut pressed = signal(SignalKind::interrupt())?;
            drop(guard);
            let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
            let before = tcgetattr(&terminal)?;
            let asked = Self(is_asked.clone());
            std::thread::Builder::new().spawn(move || {
                if runtime.block_on(pressed.recv()).is_none() {
                    return;
                }
                // Pressed before the terminal was told to hide what is typed, it ends nothing.
                if is_asked.load(Ordering::Acquire) {
                    std::thread::sleep(GRACE);
                }
                // Where that can't be, there is no terminal any more.
                let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
                std::process::exit(INTERRUPTED);
            })?;
            Ok(asked)
        }
    }

    impl Drop for Asked {
        fn drop(&mut self) {
            self.0.store(false, Ordering::Release);
        }
    }
}

#[cfg(not(unix))]
mod interrupts {
    use std::io;

    /// Elsewhere the question is read by the system.
    pub struct Asked;

    impl Asked {
        pub fn now() -> io::Result<Self> {
            Ok(Self)
        }
    }
}

//! What carrying a model can fail with.

use std::io;
use std::path::PathBuf;

/// Why a model could not be carried, or not any longer.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// A system call failed.
    #[error("{call} on {what} failed: {source}")]
    System {
        /// The system call.
        call: &'static str,
        /// The file or device.
        what: String,
        /// What it said.
        source: io::Error,
    },
    /// The name for the port is taken by something that may be in use.
    #[error("{} is {what}: remove it, or choose another name for the port", path.display())]
    LinkTaken {
        /// The name.
        path: PathBuf,
        /// What is there.
        what: String,
    },
    /// Another process answers on the control socket.
    #[error("a process listens on {}: stop it, or choose another control socket", path.display())]
    ControlInUse {
        /// The socket.
        path: PathBuf,
    },
    /// The control socket's name is taken by a file that is no socket.
    #[error("{} exists and is no socket: remove it, or choose another control socket", path.display())]
    ControlNotSocket {
        /// The file.
        path: PathBuf,
    },
    /// The name of the control socket is longer than the system takes.
    #[error("the control socket's name has {length} bytes, and a socket takes at most {limit}: choose a shorter one than {}", path.display())]
    ControlPathTooLong {
        /// The name.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
        /// The longest that is possible.
        limit: usize,
    },
    /// The emulated computer is gone, or is none that is known here.
    #[error("{what}")]
    Emulation {
        /// What happened.
        what: String,
    },
    /// The thread that carried the model panicked.
    #[error("the device model failed: {message}")]
    ModelFailed {
        /// What the panic said.
        message: String,
    },
}

impl LinkError {
    /// For `map_err`: names the call and what it was made on.
    pub(crate) fn system<E: Into<io::Error>>(call: &'static str, what: impl ToString) -> impl FnOnce(E) -> Self {
        move |source| Self::System { call, what: what.to_string(), source: source.into() }
    }
}

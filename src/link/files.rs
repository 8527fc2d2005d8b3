//! The two names that a board leaves in the file system: its control socket and the symbolic link to its port. Each is removed when it is dropped, unless somebody
//! has put something else in its place.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::error::LinkError;

/// The longest name of a Unix socket: `sun_path` has 108 bytes, the last of them NUL.
const SOCKET_PATH_LIMIT: usize = 107;

/// A listening socket's name.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    /// Listens at `path`. A socket there on which nobody listens any more is replaced.
    pub(super) fn listen(path: &Path) -> Result<(UnixListener, Self), LinkError> {
        let length = path.as_os_str().as_bytes().len();
        if length > SOCKET_PATH_LIMIT {
            return Err(LinkError::ControlPathTooLong { path: path.to_owned(), length, limit: SOCKET_PATH_LIMIT });
        }
        let listener = match UnixListener::bind(path) {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
                remove_stale(path)?;
                UnixListener::bind(path)
            }
            other => other,
        }
        .map_err(LinkError::system("bind", path.display()))?;
        listener.set_nonblocking(true).map_err(LinkError::system("ioctl(FIONBIO)", path.display()))?;
        let meta = fs::symlink_metadata(path).map_err(LinkError::system("lstat", path.display()))?;
        Ok((listener, Self { path: path.to_owned(), device: meta.dev(), inode: meta.ino() }))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|meta| (meta.dev(), meta.ino()) == (self.device, self.inode)) {
            // It may be gone by now, which is what is wanted.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket file on which nobody listens.
fn remove_stale(path: &Path) -> Result<(), LinkError> {
    let meta = fs::symlink_metadata(path).map_err(LinkError::system("lstat", path.display()))?;
    if !meta.file_type().is_socket() {
        return Err(LinkError::ControlNotSocket { path: path.to_owned() });
    }
    let probe = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
        .map_err(LinkError::system("socket", path.display()))?;
    let address = SocketAddrUnix::new(path).map_err(LinkError::system("connect", path.display()))?;
    match rustix::net::connect(&probe, &address) {
        Err(rustix::io::Errno::CONNREFUSED) => fs::remove_file(path).map_err(LinkError::system("unlink", path.display())),
        // Its owner went in the meantime and took it along.
        Err(rustix::io::Errno::NOENT) => Ok(()),
        // EAGAIN: somebody listens and is behind with accepting.
        Ok(()) | Err(rustix::io::Errno::AGAIN) => Err(LinkError::ControlInUse { path: path.to_owned() }),
        Err(e) => Err(LinkError::system("connect", path.display())(e)),
    }
}

/// A symbolic link to the port, under a name that stays the same from run to run.
#[derive(Debug)]
pub(super) struct PortLink {
    path: PathBuf,
    port: PathBuf,
}

impl PortLink {
    /// Makes `path` point to `port`. A link there that points nowhere, or to this very port (a killed run left it), is replaced.
    pub(super) fn create(path: &Path, port: &Path) -> Result<Self, LinkError> {
        match symlink(port, path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => replace(path, port)?,
            other => other.map_err(LinkError::system("symlink", path.display()))?,
        }
        Ok(Self { path: path.to_owned(), port: port.to_owned() })
    }
}

impl Drop for PortLink {
    fn drop(&mut self) {
        if fs::read_link(&self.path).is_ok_and(|target| target == self.port) {
            // It may be gone by now, which is what is wanted.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn replace(path: &Path, port: &Path) -> Result<(), LinkError> {
    let taken = |what: String| LinkError::LinkTaken { path: path.to_owned(), what };
    let target = match fs::read_link(path) {
        Ok(target) => target,
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => return Err(taken("not a symbolic link".to_owned())),
        Err(e) => return Err(LinkError::system("readlink", path.display())(e)),
    };
    // `exists` follows the link; what cannot be looked at may well be there.
    if target != port && path.try_exists().unwrap_or(true) {
        return Err(taken(format!("a link to {}, which exists", target.display())));
    }
    // Made beside it and moved over it, so that the name is never missing.
    let mut beside: OsString = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    symlink(port, &beside).map_err(LinkError::system("symlink", Path::new(&beside).display()))?;
    fs::rename(&beside, path).map_err(|e| {
        // What is left beside it is of no use to anybody; the failed move is what is told.
        let _ = fs::remove_file(&beside);
        LinkError::system("rename", path.display())(e)
    })
}

//! How much the seam costs: the handshake of a board (hotkey, acknowledge, version command, version) over a PTY, once through [`RealSeam`] and once in plain system calls, in
//! turns within one process, against the same board. Prints medians and their ratio; the ratio is to be at most 1.2.
//!
//! `cargo bench --bench seam [ROUNDS [TRIES]]`. Only the ratio of one run means anything: machines are shared.

use std::error::Error;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use evkit_hil::baud::Baud;
use evkit_hil::line::{LineError, Progress, ResetLine};
use evkit_hil::port::{Port, PortName};
use evkit_hil::seam::real::RealSeam;
use evkit_hil::seam::{Happening, LineState, Seam, StreamId};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

const HOTKEY: &[u8] = &[0xC5];
const ACKNOWLEDGE: &[u8] = &[0x9A];
const COMMAND: &[u8] = b"ATI01\r";
const VERSION: &[u8] = b"\r\nST87M01 BOOT 1.4.2\r\n\r\nOK\r\n";
const PATIENCE: Duration = Duration::from_secs(5);

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let (rounds, tries) = (numbers.next().unwrap_or(10), numbers.next().unwrap_or(500));

    let (through_seam, plain) = (start_board()?, start_board()?);
    let port = Port::open(&PortName::Path(through_seam), Baud::DEFAULT)?;
    let mut seam = RealSeam::new(port, Box::new(NoLine), None);
    let plain = open_plain(&plain)?;

    let (mut seam_ns, mut plain_ns) = (Vec::new(), Vec::new());
    println!("round  plain us  seam us  ratio   (medians of {tries})");
    for round in 1..=rounds {
        let plain = (0..tries).map(|_| timed(|| handshake_plain(&plain))).collect::<Fallible<Vec<_>>>()?;
        let seam = (0..tries).map(|_| timed(|| handshake_seam(&mut seam))).collect::<Fallible<Vec<_>>>()?;
        println!("{round:5}  {}", line(&plain, &seam));
        plain_ns.extend(plain);
        seam_ns.extend(seam);
    }
    println!("  all  {}", line(&plain_ns, &seam_ns));
    println!("  p99  {:8.1}  {:7.1}", quantile(&plain_ns, 99), quantile(&seam_ns, 99));
    Ok(())
}

fn line(plain: &[u64], seam: &[u64]) -> String {
    let (plain, seam) = (quantile(plain, 50), quantile(seam, 50));
    format!("{plain:8.1}  {seam:7.1}  {:5.2}", seam / plain)
}

/// A percentile of nanoseconds, in microseconds.
fn quantile(ns: &[u64], percent: usize) -> f64 {
    let mut sorted = ns.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).map_or(f64::NAN, |ns| *ns as f64 / 1000.0)
}

fn timed(act: impl FnOnce() -> Fallible<()>) -> Fallible<u64> {
    let start = Instant::now();
    act()?;
    Ok(u64::try_from(start.elapsed().as_nanos())?)
}

/// A line that is not there.
struct NoLine;

impl ResetLine for NoLine {
    fn begin(&mut self, _: LineState) -> Result<Progress, LineError> {
        Ok(Progress::Done)
    }
    fn proceed(&mut self) -> Result<Progress, LineError> {
        Ok(Progress::Done)
    }
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
    fn describe(&self) -> String {
        "no line".to_owned()
    }
}

fn handshake_seam(seam: &mut RealSeam) -> Fallible<()> {
    seam.send(StreamId::PORT, HOTKEY, None);
    until_seen(seam, ACKNOWLEDGE)?;
    seam.send(StreamId::PORT, COMMAND, None);
    until_seen(seam, VERSION)
}

fn until_seen(seam: &mut RealSeam, wanted: &[u8]) -> Fallible<()> {
    let until = seam.now() + PATIENCE;
    let mut seen = 0;
    while seen < wanted.len() {
        match seam.wait(until)? {
            Happening::Bytes { bytes, .. } if wanted[seen..].starts_with(bytes) => seen += bytes.len(),
            Happening::Sent { .. } => {}
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok(())
}

fn handshake_plain(port: &OwnedFd) -> Fallible<()> {
    rustix::io::write(port, HOTKEY)?;
    read_plain(port, ACKNOWLEDGE)?;
    rustix::io::write(port, COMMAND)?;
    read_plain(port, VERSION)
}

fn read_plain(port: &OwnedFd, wanted: &[u8]) -> Fallible<()> {
    let (mut buffer, mut seen) = ([0; 4096], 0);
    while seen < wanted.len() {
        match rustix::io::read(port, &mut buffer) {
            Ok(count) if wanted[seen..].starts_with(&buffer[..count]) => seen += count,
            Ok(count) => return Err(format!("{:?}", &buffer[..count]).into()),
            Err(Errno::AGAIN) => {
                let timeout = Timespec { tv_sec: PATIENCE.as_secs().try_into()?, tv_nsec: 0 };
                if rustix::event::poll(&mut [PollFd::new(port, PollFlags::IN)], Some(&timeout))? == 0 {
                    return Err("the board is silent".into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn open_plain(device: &PathBuf) -> Fallible<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let port = rustix::fs::open(device, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    let mut modes = rustix::termios::tcgetattr(&port)?;
    modes.make_raw();
    rustix::termios::tcsetattr(&port, OptionalActions::Now, &modes)?;
    Ok(port)
}

/// Starts a board on a thread, which ends with the process. Returns its device.
fn start_board() -> Fallible<PathBuf> {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let device = PathBuf::from(rustix::pty::ptsname(&master, Vec::new())?.into_string()?);
    // Held open, so that the board is not hung up before its port is opened.
    let held = open_plain(&device)?;
    std::thread::spawn(move || {
        let _held = held;
        let mut buffer = [0; 256];
        while let Ok(count) = rustix::io::read(&master, &mut buffer) {
            for byte in &buffer[..count] {
                let answer = match byte {
                    0xC5 => ACKNOWLEDGE,
                    b'\r' => VERSION,
                    _ => continue,
                };
                if rustix::io::write(&master, answer).is_err() {
                    return;
                }
            }
        }
    });
    Ok(device)
}

//! How much the seam costs: the handshake of a board (hotkey, acknowledge, version command, version) and a flood of log over a PTY, once through [`RealSeam`] and once in plain
//! system calls, in turns within one process, against the same board. Prints medians and their ratio; the ratio is to be at most 1.2. Then how late the seam
//! writes what is to be written 5 ms later.
//!
//! `cargo bench --bench seam [ROUNDS [TRIES]]`. Only the ratio of one run means anything: machines are shared.

use std::error::Error;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use evkit_hil::baud::Baud;
use evkit_hil::line::{LineError, OutputLine, Progress};
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
/// Asks the board for [`FLOOD`] bytes.
const ASK_FLOOD: &[u8] = b"F";
const FLOOD: usize = 10 << 20;
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

    let (mut seam_ns, mut plain_ns) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        plain_ns.push(timed(|| flood_plain(&plain))?);
        seam_ns.push(timed(|| flood_seam(&mut seam))?);
    }
    println!("flood of {} MiB: {}", FLOOD >> 20, line(&plain_ns, &seam_ns));

    let late = (0..rounds * 20).map(|_| lateness(&mut seam)).collect::<Fallible<Vec<_>>>()?;
    println!("late by us: median {:.1}, p99 {:.1}", quantile(&late, 50), quantile(&late, 99));
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

impl OutputLine for NoLine {
    fn begin(&mut self, _: LineState) -> Result<Progress, LineError> {
        Ok(Progress::Done)
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

fn flood_seam(seam: &mut RealSeam) -> Fallible<()> {
    seam.send(StreamId::PORT, ASK_FLOOD, None);
    let (until, mut seen) = (seam.now() + PATIENCE, 0);
    while seen < FLOOD {
        match seam.wait(until)? {
            Happening::Bytes { bytes, .. } => seen += bytes.len(),
            Happening::Sent { .. } => {}
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok(())
}

/// By how many nanoseconds a timed write was late. (The board hears a byte that means nothing to it.)
fn lateness(seam: &mut RealSeam) -> Fallible<u64> {
    let at = seam.now() + Duration::from_millis(5);
    seam.send(StreamId::PORT, b"?", Some(at));
    match seam.wait(at + PATIENCE)? {
        Happening::Sent { before, .. } => Ok(u64::try_from((before - at).as_nanos())?),
        other => Err(format!("{other:?}").into()),
    }
}

fn flood_plain(port: &OwnedFd) -> Fallible<()> {
    rustix::io::write(port, ASK_FLOOD)?;
    let (mut buffer, mut seen) = (vec![0; 64 * 1024], 0);
    while seen < FLOOD {
        match rustix::io::read(port, &mut buffer) {
            Ok(count) => seen += count,
            Err(Errno::AGAIN) => wait_plain(port)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wait_plain(port: &OwnedFd) -> Fallible<()> {
    let timeout = Timespec { tv_sec: PATIENCE.as_secs().try_into()?, tv_nsec: 0 };
    let ready = rustix::event::poll(&mut [PollFd::new(port, PollFlags::IN)], Some(&timeout))?;
    if ready == 0 { Err("the board is silent".into()) } else { Ok(()) }
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
            Err(Errno::AGAIN) => wait_plain(port)?,
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
        let (mut buffer, flood) = ([0; 256], vec![b'.'; FLOOD]);
        while let Ok(count) = rustix::io::read(&master, &mut buffer) {
            for byte in &buffer[..count] {
                let answer = match byte {
                    0xC5 => ACKNOWLEDGE,
                    b'\r' => VERSION,
                    b'F' => &flood,
                    _ => continue,
                };
                let mut left = answer;
                while let Ok(taken) = rustix::io::write(&master, left)
                    && taken < left.len()
                {
                    left = &left[taken..];
                }
            }
        }
    });
    Ok(device)
}

//! A board behind a Unix socket: serves one client at a time, as a small C program would, and records each line with its time.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use evkit_hil::line::{Backend, LineConfig, Role};

/// How long a test waits for what must come.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// What the board does with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Carries it out and answers with this.
    Says(&'static str),
    /// Answers with this and closes the connection.
    Leaves(&'static str),
    /// Never answers.
    KeepsSilent,
}

/// The board. Its thread ends with the test program.
pub(crate) struct Board {
    path: PathBuf,
    seen: Arc<Seen>,
    _directory: tempfile::TempDir,
}

#[derive(Default)]
struct Seen {
    entries: Mutex<Vec<(Instant, Entry)>>,
    changed: Condvar,
}

/// What the board saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A client came.
    Connected,
    /// A line.
    Line(String),
    /// The client went.
    Closed,
}

impl Seen {
    fn push(&self, entry: Entry) {
        self.entries.lock().expect("no panic").push((Instant::now(), entry));
        self.changed.notify_all();
    }
}

impl Board {
    /// A board that answers `ok`.
    pub(crate) fn new() -> Self {
        Self::with(|_, _| Manner::Says("ok\n"))
    }

    /// A board whose manner depends on how many lines came before and on the line.
    pub(crate) fn with(manner: impl Fn(usize, &str) -> Manner + Send + 'static) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("board");
        let listener = UnixListener::bind(&path).expect("bound");
        let seen = Arc::new(Seen::default());
        let recorder = Arc::clone(&seen);
        thread::spawn(move || {
            let mut count = 0;
            for client in listener.incoming() {
                recorder.push(Entry::Connected);
                serve(client.expect("accepted"), &recorder, &manner, &mut count);
                recorder.push(Entry::Closed);
            }
        });
        Self { path, seen, _directory: directory }
    }

    /// Its socket.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The bench's configuration of its reset line.
    pub(crate) fn config(&self) -> LineConfig {
        socket_line(&self.path)
    }

    /// Everything that it saw.
    pub(crate) fn seen(&self) -> Vec<Entry> {
        self.seen.entries.lock().expect("no panic").iter().map(|(_, entry)| entry.clone()).collect()
    }

    /// The lines that it was sent.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().filter_map(|entry| if let Entry::Line(line) = entry { Some(line) } else { None }).collect()
    }

    /// Waits until `enough` holds for what it saw, and returns when the last of that came.
    pub(crate) fn wait_for(&self, what: &str, enough: impl Fn(&[Entry]) -> bool) -> Instant {
        let entries = self.seen.entries.lock().expect("no panic");
        let holds = |entries: &[(Instant, Entry)]| enough(&entries.iter().map(|(_, e)| e.clone()).collect::<Vec<_>>());
        let (entries, timeout) = self.seen.changed.wait_timeout_while(entries, SOON, |entries| !holds(entries)).expect("no panic");
        assert!(!timeout.timed_out(), "the board never saw {what}, only {entries:?}");
        entries.last().expect("something came").0
    }

    /// Waits until it was sent `count` lines.
    pub(crate) fn wait_for_lines(&self, count: usize) -> Vec<String> {
        self.wait_for(&format!("{count} lines"), |seen| seen.iter().filter(|e| matches!(e, Entry::Line(_))).count() >= count);
        self.lines()
    }
}

fn serve(client: UnixStream, recorder: &Seen, manner: &impl Fn(usize, &str) -> Manner, count: &mut usize) {
    let mut answers = client.try_clone().expect("cloned");
    for line in BufReader::new(client).lines() {
        let Ok(line) = line else { return };
        let how = manner(*count, &line);
        *count += 1;
        recorder.push(Entry::Line(line));
        match how {
            // Like dut.c, it stops reading at the first answer that it cannot deliver.
            Manner::Says(answer) if answers.write_all(answer.as_bytes()).is_err() => return,
            Manner::Says(_) | Manner::KeepsSilent => {}
            Manner::Leaves(answer) => {
                let _ = answers.write_all(answer.as_bytes());
                return;
            }
        }
    }
}

/// The configuration of a line behind a socket.
pub(crate) fn socket_line(path: &Path) -> LineConfig {
    LineConfig::output("reset", Backend::Socket { path: path.to_owned(), line: "reset".to_owned() })
}

/// A line of another role and name on this socket.
pub(crate) fn named_line(path: &Path, name: &str, role: Role) -> LineConfig {
    LineConfig { role, ..LineConfig::output(name, Backend::Socket { path: path.to_owned(), line: name.to_owned() }) }
}

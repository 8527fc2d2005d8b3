//! Random interleavings of resets, speeds, bytes, signals and faults, on simulated time: nothing panics, hangs, leaves a line asserted, or writes a record that its readers refuse.
//!
//! `cargo test` runs a share of them; `INTERLEAVINGS=100000 cargo test --release --test interleavings` runs so many. They are the same ones each time, so that a change is judged by what it
//! changed; `PROPTEST_RNG_SEED=N` draws others. What fails is shown as small as it still fails, as a scenario.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod script;
mod watched;
#[expect(dead_code, reason = "that a document is one is all that is asked here")]
#[path = "../xml/mod.rs"]
mod xml;

use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use evkit_hil::baud::Baud;
use evkit_hil::bench::{BoardKind, Sim};
use evkit_hil::diagnosis;
use evkit_hil::document::Diagnostic;
use evkit_hil::model::evkit::VirtualEvkit;
use evkit_hil::plan::{Case, walk};
use evkit_hil::report::{CaseReport, Exit, GivenUp, Palette, RunReport, terminal, write_junit};
use evkit_hil::runner::case::{Circumstances, Ended, run_case};
use evkit_hil::runner::progress::Progress;
use evkit_hil::scenario;
use evkit_hil::seam::Seam as _;
use evkit_hil::seam::simulated::SimulatedSeam;
use evkit_hil::secret::Secret;
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{Diagnosis, Direction, Event, EventKind, Outcome, Verdict};
use evkit_hil::timeline::{ClockKind, EVENTS_FILE, Reader};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use rstest::rstest;
use script::{Host, Interleaving, SECRET, interleavings};
use watched::{WatchedBoard, WatchedSeam};

/// How many are run by `cargo test`.
const USUALLY: u32 = 2000;

/// The seed they are drawn from unless `PROPTEST_RNG_SEED` gives another.
const USUAL_SEED: u64 = 4;

/// How many tests share them.
const SHARES: u32 = 4;

/// So often what fails is tried smaller.
const SHRINKS: u32 = 4000;

/// What a run may take behind the deadlines of its case: the probes of a diagnosis, and putting a board back whose `finally` does not.
const PROBES: Duration = Duration::from_secs(10 * 60);

/// What an interrupted run may take from then on: 5 s up to `restore`, 25 s from there on, and what is carried out already.
const INTERRUPTED: Duration = Duration::from_secs(31);

/// So long may be waited at the end for what is still on the wire, before TX idles again.
const DRAINED: Duration = Duration::from_secs(60);

#[rstest]
fn nothing_panics_hangs_or_is_left_asserted_and_every_record_is_read(#[values(0, 1, 2, 3)] share: u64) {
    assert!(share < u64::from(SHARES));
    let wanted = std::env::var("INTERLEAVINGS").map_or(USUALLY, |wanted| wanted.parse().unwrap());
    let mut config = Config { cases: wanted.div_ceil(SHARES), failure_persistence: None, max_shrink_iters: SHRINKS, ..Config::default() };
    let seed = if let RngSeed::Fixed(seed) = config.rng_seed { seed } else { USUAL_SEED };
    config.rng_seed = RngSeed::Fixed(seed.wrapping_add(share));
    let watchdog = Watchdog::new();
    let result = TestRunner::new(config).run(&interleavings(), |interleaving| {
        watchdog.begins(&interleaving);
        holds(&interleaving);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Ends the program where one interleaving goes on for longer than this on real time: it asks neither the board nor the seam any more, and nothing else would end it.
const PATIENCE: Duration = Duration::from_secs(120);

/// See [`PATIENCE`]. It goes when it is dropped.
struct Watchdog(mpsc::Sender<String>);

impl Watchdog {
    fn new() -> Self {
        let (sender, receiver) = mpsc::channel::<String>();
        std::thread::spawn(move || {
            let mut running = None;
            loop {
                match (receiver.recv_timeout(PATIENCE), &running) {
                    (Ok(begun), _) => running = Some(begun),
                    (Err(RecvTimeoutError::Timeout), Some(interleaving)) => {
                        eprintln!("hangs for {PATIENCE:?}: {interleaving}");
                        std::process::abort();
                    }
                    (Err(RecvTimeoutError::Timeout), None) => {}
                    (Err(RecvTimeoutError::Disconnected), _) => return,
                }
            }
        });
        Self(sender)
    }

    fn begins(&self, interleaving: &Interleaving) {
        self.0.send(format!("{interleaving:?}")).unwrap();
    }
}

/// Where files cost least.
fn fast_folder() -> PathBuf {
    let in_memory = Path::new("/dev/shm");
    if in_memory.is_dir() { in_memory.to_owned() } else { std::env::temp_dir() }
}

/// Runs an interleaving; panics with what does not hold.
fn holds(interleaving: &Interleaving) {
    let folder = tempfile::tempdir_in(fast_folder()).unwrap();
    let text = interleaving.script.to_string();
    let plan = scenario::load_text(Path::new("drawn.yaml"), &text, None);
    let plan = plan.unwrap_or_else(|problems| panic!("{}", Diagnostic::render_all(&problems, false)));
    let case = &plan.cases[0];
    let timeline = folder.path().join("timeline");
    let (ended, took) = run(case, interleaving, &timeline);
    let record = read(&timeline, &ended);
    keeps_to_its_time(case, &interleaving.host, took, &record);
    sends_nothing_of_its_own_once_interrupted(case, &record);
    reports_are_written(&timeline, &ended, folder.path());
}

/// Runs the case. Returns how long it took, and panics where it leaves a line.
fn run(case: &Case, Interleaving { seed, host, .. }: &Interleaving, timeline: &Path) -> (Ended, Duration) {
    let settings = case.virtual_board.settings_for(*seed);
    let firmware = settings.firmware.to_string();
    let (board, reached) = WatchedBoard::new(VirtualEvkit::new(settings, MonoTime::ZERO));
    let mut seam = SimulatedSeam::new(Box::new(board), Baud::DEFAULT);
    let at = |time: Duration| MonoTime::ZERO + time;
    if let Some(time) = host.interrupted {
        seam.interrupt(at(time));
    }
    if let Some(time) = host.unplugged {
        seam.unplug(at(time));
    }
    for (from, duration) in &host.oversleeps {
        seam.oversleep(at(*from), *duration);
    }
    if let Some(speed) = host.fastest {
        seam.fastest(Baud::new(speed).unwrap());
    }
    let around = Circumstances {
        seed: *seed,
        secrets: [Secret::new("SECRET", SECRET).unwrap()].into(),
        firmware: host.set_up_anew.then_some(firmware),
        kind: if host.is_generic { BoardKind::Generic } else { BoardKind::St87m01 },
        sim: if host.must_be_quiet { Sim::Quiet } else { Sim::None },
        set_up_anew: host.set_up_anew,
        start_up: host.start_up,
        ..Circumstances::simulated("drawn", Baud::DEFAULT)
    };
    let (sender, _receiver) = mpsc::channel();
    let progress = Progress::new("drawn", sender);
    let mut seam = WatchedSeam::new(seam);
    let ended = run_case(&mut seam, ClockKind::Simulated, case, &around, timeline, &progress).unwrap();
    let reached = reached.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(reached.away.is_empty(), "lines are left: {:?}, {ended:?}", reached.away);
    (ended, seam.now().since(MonoTime::ZERO))
}

/// What was recorded, read whole.
struct Record {
    events: Vec<Event>,
    verdict: Verdict,
}

impl Record {
    /// Where the run was asked to end.
    fn interrupted(&self) -> Option<usize> {
        self.events.iter().position(|event| matches!(event.kind, EventKind::Interrupted(_)))
    }

    /// How long the wire was busy at most with what was written.
    fn longest_on_the_wire(&self) -> Duration {
        let (mut speed, mut free, mut longest) = (Baud::DEFAULT, MonoTime::ZERO, Duration::ZERO);
        for event in &self.events {
            match &event.kind {
                EventKind::Speed(set) => speed = set.actual,
                EventKind::Bytes(bytes) if bytes.direction == Direction::Out => {
                    free = free.max(event.t) + speed.wire_time(u64::from(bytes.length));
                    longest = longest.max(free.since(event.t));
                }
                _ => {}
            }
        }
        longest
    }
}

fn read(timeline: &Path, ended: &Ended) -> Record {
    let mut reader = Reader::open(timeline).unwrap();
    let mut events = Vec::new();
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    while let Some(event) = reader.next().transpose().unwrap() {
        if let EventKind::Bytes(bytes) = &event.kind {
            let stream = if bytes.direction == Direction::Out { &mut sent } else { &mut received };
            stream.extend(reader.bytes(bytes).unwrap());
        }
        events.push(event);
    }
    assert!(!reader.torn(), "the last line is not whole");
    let verdicts = events.iter().filter_map(|event| if let EventKind::Verdict(verdict) = &event.kind { Some(verdict) } else { None });
    let [verdict] = verdicts.cloned().collect::<Vec<_>>().try_into().unwrap();
    assert!(matches!(events.last().map(|event| &event.kind), Some(EventKind::Verdict(_))), "something follows the verdict");
    let cause = |diagnosis: &Option<Diagnosis>| diagnosis.as_ref().map(|diagnosis| diagnosis.cause);
    assert_eq!((verdict.outcome, cause(&verdict.diagnosis)), (ended.outcome, cause(&ended.diagnosis)));
    let is_lost = events.iter().any(|event| matches!(event.kind, EventKind::Gone(_)));
    assert!(ended.given_up.is_some() || !is_lost, "the port is gone and the board was not given up: {verdict:?}");
    assert!(ended.given_up.is_none() || !matches!(verdict.outcome, Outcome::Passed | Outcome::Skipped), "{verdict:?}");
    // Each direction by itself: where two halves meet that went opposite ways, nobody said the secret.
    let written = std::fs::read(timeline.join(EVENTS_FILE)).unwrap();
    for (what, content) in [(EVENTS_FILE, &written), ("what was sent", &sent), ("what was received", &received)] {
        assert!(!content.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()), "{what}: shows the secret");
    }
    diagnosis::diagnose(timeline).unwrap();
    Record { events, verdict }
}

fn keeps_to_its_time(case: &Case, host: &Host, took: Duration, record: &Record) {
    let overslept = host.oversleeps.iter().map(|(_, duration)| *duration).sum::<Duration>();
    let most = case.deadline + case.finally_deadline + PROBES + overslept;
    assert!(took <= most, "it took {took:?}, and may take {most:?}");
    if let Some(index) = record.interrupted() {
        let left = took.saturating_sub(record.events[index].t.since(MonoTime::ZERO));
        let drained = record.longest_on_the_wire().min(DRAINED);
        assert!(left <= INTERRUPTED + drained + overslept, "it took {left:?} from its interruption on: {:?}", record.verdict);
    }
}

/// What is sent after an interruption belongs to `finally`, or to the restore that follows it where it has none and that had begun.
fn sends_nothing_of_its_own_once_interrupted(case: &Case, record: &Record) {
    let Some(index) = record.interrupted() else { return };
    let (before, after) = record.events.split_at(index);
    let mut allowed = walk(&case.finally).into_iter().map(|step| Some(step.id)).collect::<Vec<_>>();
    if after[0].step.is_none() && before.iter().any(|event| matches!(event.kind, EventKind::StepStart(_))) {
        allowed.push(None);
    }
    for event in after {
        let is_sent = matches!(&event.kind, EventKind::Bytes(bytes) if bytes.direction == Direction::Out);
        assert!(!is_sent || allowed.contains(&event.step), "sent once interrupted: {event:?}");
    }
}

fn reports_are_written(timeline: &Path, ended: &Ended, folder: &Path) {
    let report = CaseReport::read(timeline).unwrap();
    assert_eq!(report.outcome(), ended.outcome);
    let given_up = ended.given_up.iter().map(|finding| GivenUp {
        board: "drawn".to_owned(),
        reason: finding.reason.clone(),
        hint: Some(finding.seen.clone()),
    });
    let run = RunReport {
        started: None,
        duration: Duration::ZERO,
        seed: 0,
        cases: vec![report],
        boards: Vec::new(),
        given_up: given_up.collect(),
        missing: Vec::new(),
    };
    let palette = Palette::default();
    for width in [20, 100] {
        let text = terminal::case_line(&run.cases[0], width, &palette) + &terminal::failure_block(&run.cases[0], width, &palette);
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    }
    assert!(!terminal::summary_line(&run, &palette).is_empty());
    let is_interrupted = ended.outcome == Outcome::Interrupted;
    assert_eq!(Exit::of(&run, false) == Exit::Interrupted, is_interrupted);
    let junit = folder.join("junit.xml");
    write_junit(&junit, &run).unwrap();
    xml::parse(&std::fs::read_to_string(&junit).unwrap());
}

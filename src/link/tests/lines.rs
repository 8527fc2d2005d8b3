//! Lines of a model on the control socket: those that the host drives, and those whose edges it watches.

use super::*;
use crate::link::{PtyBoard, PtyConfig};
use crate::model::ModelLine;
use crate::model::OutputEdge;
use crate::seam::Direction;

const POWER: LineId = LineId::POWER;
const KNOB: LineId = LineId(2);
const LAMP: LineId = LineId(3);

/// A model whose lamp follows its knob, whose reset line something holds while its lamp is lit, and which keeps what the host drives.
struct Lamp(Arc<Mutex<Vec<(LineId, LineState)>>>);

impl DeviceModel for Lamp {
    fn advance(&mut self, now: MonoTime, input: Input<'_>, output: &mut Output) -> Option<MonoTime> {
        if let Input::Line { line, state } = input {
            self.0.lock().unwrap().push((line, state));
            if line == KNOB {
                output.edges.push(OutputEdge { line: LAMP, state, at: now });
            }
        }
        None
    }

    fn lines(&self) -> &'static [ModelLine] {
        &[
            ModelLine::RESET,
            ModelLine { id: POWER, name: "power", direction: Direction::Out },
            ModelLine { id: KNOB, name: "knob", direction: Direction::Out },
            ModelLine { id: LAMP, name: "lamp", direction: Direction::In },
        ]
    }

    fn level(&self, line: LineId) -> Option<LineState> {
        let driven = self.0.lock().unwrap();
        let (_, state) = driven.iter().rfind(|(driven, _)| *driven == KNOB)?;
        (line == LineId::RESET && *state == LineState::Asserted).then_some(LineState::Asserted)
    }
}

impl ControlTarget for Lamp {
    fn command(&mut self, _now: MonoTime, words: &str) -> Result<String, String> {
        if words == "setup" { Ok(String::new()) } else { Err(format!("unknown command `{words}`")) }
    }

    fn help(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
}

struct Bench {
    driven: Arc<Mutex<Vec<(LineId, LineState)>>>,
    board: PtyBoard,
    _dir: TempDir,
}

impl Bench {
    fn start() -> Self {
        let (dir, driven) = (tempfile::tempdir().unwrap(), Arc::default());
        let config = PtyConfig { link: None, control: dir.path().join("control") };
        let board = PtyBoard::start(Lamp(Arc::clone(&driven)), &config).unwrap();
        Self { driven, board, _dir: dir }
    }

    fn client(&self) -> Client {
        let stream = UnixStream::connect(self.board.control_path()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client(BufReader::new(stream))
    }
}

struct Client(BufReader<UnixStream>);

impl Client {
    fn say(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.hear()
    }
}

#[test]
fn lines_are_driven_by_their_names_and_a_setup_tells_the_model_what_is_away_from_its_rest() {
    let bench = Bench::start();
    let mut client = bench.client();
    for command in ["knob assert", "power off", "power on", "power off", "reset assert", "reset release"] {
        assert_eq!(client.ask(command), "ok", "{command}");
    }
    bench.driven.lock().unwrap().clear();
    assert_eq!(client.ask("setup"), "ok");
    assert_eq!(*bench.driven.lock().unwrap(), [(KNOB, LineState::Asserted), (POWER, LineState::Released)]);
    for (command, answer) in [
        ("power assert", "error `power` takes `on` or `off`"),
        ("power level", "error `power` takes `on` or `off`"),
        ("knob", "error `knob` takes `assert`, `release` or `level`"),
        ("knob assert now", "error `knob` takes `assert`, `release` or `level`"),
        ("lamp level", "error unknown command `lamp level`"),
        ("lamp assert", "error unknown command `lamp assert`"),
        ("watch knob", "error the board drives no line `knob`"),
        ("watch", "error unknown command `watch`"),
    ] {
        assert_eq!(client.ask(command), answer, "{command}");
    }
    let help = client.ask("help");
    for command in
        ["reset assert (holds", "reset level (", "power on, power off (", "knob assert, knob release (", "knob level (", "watch lamp ("]
    {
        assert!(help.contains(command), "{command} is missing: {help}");
    }
}

#[test]
fn a_line_is_what_the_host_drives_unless_the_model_has_a_say() {
    let bench = Bench::start();
    let mut client = bench.client();
    let mut levels = || (client.ask("reset level"), client.ask("knob level"));
    let [asserted, released] = ["ok asserted", "ok released"].map(str::to_owned);
    assert_eq!(levels(), (released.clone(), released.clone()));
    let mut driver = bench.client();
    driver.ask("reset assert");
    assert_eq!(levels(), (asserted.clone(), released.clone()));
    driver.ask("reset release");
    driver.ask("knob assert");
    assert_eq!(levels(), (asserted.clone(), asserted), "the host has let go of reset, and the model holds it");
    driver.ask("knob release");
    assert_eq!(levels(), (released.clone(), released));
    assert_eq!(bench.driven.lock().unwrap().len(), 4, "asking drives nothing");
}

#[test]
fn who_watches_a_line_is_told_each_edge_with_its_time_and_nobody_else_is() {
    let bench = Bench::start();
    let (mut watcher, mut driver) = (bench.client(), bench.client());
    assert_eq!((watcher.ask("watch lamp"), watcher.ask("watch lamp")), ("ok".to_owned(), "ok".to_owned()), "asked twice, told once");
    let before = MonoTime::now();
    assert_eq!(driver.ask("knob assert"), "ok");
    assert_eq!(driver.ask("knob release"), "ok");
    let told = [watcher.hear(), watcher.hear()];
    let times: Vec<u64> = told
        .iter()
        .zip(["edge lamp assert ", "edge lamp release "])
        .map(|(line, beginning)| line.strip_prefix(beginning).unwrap_or_else(|| panic!("{line}")).parse().unwrap())
        .collect();
    assert!(before.as_ns() <= times[0] && times[0] <= times[1] && times[1] <= MonoTime::now().as_ns(), "{times:?}");
    assert_eq!(driver.ask("power on"), "ok", "no edge came in between");
    // One that drives and watches has its answers and its edges, each whole.
    watcher.say("knob assert");
    let mut heard = [watcher.hear(), watcher.hear()];
    heard.sort();
    assert!(heard[0].starts_with("edge lamp assert ") && heard[1] == "ok", "{heard:?}");
}

#[test]
fn a_watcher_that_does_not_read_is_let_go_and_the_board_goes_on() {
    let bench = Bench::start();
    let (mut deaf, mut driver) = (bench.client(), bench.client());
    assert_eq!(deaf.ask("watch lamp"), "ok");
    // More than its socket and its share of the board's memory hold.
    for _ in 0..5_000 {
        assert_eq!(driver.ask("knob assert"), "ok");
        assert_eq!(driver.ask("knob release"), "ok");
    }
    let mut told = 0;
    let mut line = String::new();
    while deaf.0.read_line(&mut line).unwrap() > 0 {
        told += 1;
    }
    assert!(told < 10_000, "it was told {told} edges and never let go");
}

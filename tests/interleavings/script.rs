//! Interleavings as they are drawn: a scenario's text, which `evkit-hil run --simulate` takes as it stands, and what happens around it.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use evkit_hil::diagnosis::Cause;
use evkit_hil::model::evkit::Fault;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// What may stand nowhere in a record. Scripts send it, and its parts.
pub(crate) const SECRET: &str = "swordfish";

/// What one run is made from.
#[derive(Clone)]
pub(crate) struct Interleaving {
    /// Draws the board's assumptions and its faults' values; 0 for the defaults.
    pub(crate) seed: u64,
    pub(crate) script: Script,
    pub(crate) host: Host,
}

/// A scenario: steps as they stand in its file, without the dash before them.
#[derive(Clone)]
pub(crate) struct Script {
    faults: Vec<&'static str>,
    may_reset: bool,
    deadline: Option<u64>,
    steps: Vec<Vec<String>>,
    finally: Vec<Vec<String>>,
}

/// What the computer does in the run, and what the bench says of the board.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    /// When the run is asked to end.
    pub(crate) interrupted: Option<Duration>,
    /// When the port vanishes.
    pub(crate) unplugged: Option<Duration>,
    /// When it oversleeps, and for how long.
    pub(crate) oversleeps: Vec<(Duration, Duration)>,
    /// The fastest speed that the port makes.
    pub(crate) fastest: Option<u32>,
    pub(crate) is_generic: bool,
    pub(crate) must_be_quiet: bool,
    pub(crate) set_up_anew: bool,
    pub(crate) start_up: Duration,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Interleaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}, {:?}\n{}", self.seed, self.host, self.script)
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "format: 1\nscenario: interleaving\nsummary: drawn")?;
        writeln!(f, "effects: [speed, nvm, firmware, downgrade-attempt, interrupt-upload, power, raw]")?;
        if self.may_reset {
            writeln!(f, "may-reset: true\nmay-damage: true")?;
        }
        if let Some(ms) = self.deadline {
            writeln!(f, "deadline: {ms} ms")?;
        }
        if !self.faults.is_empty() {
            writeln!(f, "virtual: {{ fault: [{}] }}", self.faults.join(", "))?;
        }
        if self.steps.iter().chain(&self.finally).flatten().any(|step| step.starts_with("upload")) {
            writeln!(f, "images:\n  newer: {{ make: {{ A: 2.8.0, size: 1 KiB }} }}\n  older: {{ make: {{ A: 2.5.0, size: 700 B }} }}")?;
            writeln!(f, "  broken: {{ from: newer, damage: {{ offset: 50 %, xor: 01 }} }}")?;
        }
        for (name, steps) in [("steps", &self.steps), ("finally", &self.finally)] {
            if !steps.is_empty() {
                writeln!(f, "{name}:")?;
            }
            for step in steps.iter().flatten() {
                writeln!(f, "  - {step}")?;
            }
        }
        Ok(())
    }
}

pub(crate) fn interleavings() -> impl Strategy<Value = Interleaving> {
    let seed = prop_oneof![1 => Just(0), 3 => 1_u64..1000];
    (seed, scripts(), hosts()).prop_map(|(seed, script, host)| Interleaving { seed, script, host })
}

fn scripts() -> impl Strategy<Value = Script> {
    let faults = subsequence(Fault::ALL.iter().map(|fault| fault.name).collect::<Vec<_>>(), 0..=2);
    let deadline = option::weighted(0.1, 1_u64..5000);
    let restore = prop_oneof![
        3 => Just(vec!["restore:".to_owned()]),
        1 => (1_u64..60).prop_map(|s| vec![format!("restore: {{ speeds: [115200, 9600], within: {s} s }}")]),
        2 => Just(Vec::new()),
    ];
    let finally = (vec(moves(false), 0..3), restore).prop_map(|(mut moves, restore)| {
        moves.push(restore);
        moves.retain(|steps| !steps.is_empty());
        moves
    });
    (faults, any::<bool>(), deadline, vec(moves(true), 1..8), finally).prop_map(|(faults, may_reset, deadline, steps, finally)| Script {
        faults,
        may_reset,
        deadline,
        steps,
        finally,
    })
}

fn hosts() -> impl Strategy<Value = Host> {
    let oversleeps = vec((moments(), us(1..400_000)), 0..3);
    let fastest = option::weighted(0.1, select(vec![1_u32, 9600, 57_600, 115_199, 115_200, 460_800]));
    let start_up = select(vec![1_u64, 5, 30, 35]).prop_map(Duration::from_secs);
    let flag = proptest::bool::weighted;
    let board = (fastest, flag(0.1), flag(0.1), flag(0.7), start_up);
    (option::weighted(0.4, moments()), option::weighted(0.2, moments()), oversleeps, board).prop_map(
        |(interrupted, unplugged, oversleeps, (fastest, is_generic, must_be_quiet, set_up_anew, start_up))| Host {
            interrupted,
            unplugged,
            oversleeps,
            fastest,
            is_generic,
            must_be_quiet,
            set_up_anew,
            start_up,
        },
    )
}

/// When something comes from outside: most cases last for seconds.
fn moments() -> impl Strategy<Value = Duration> {
    prop_oneof![us(0..50_000), us(0..3_000_000), us(0..60_000_000)]
}

fn us(range: Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_micros)
}

/// From a microsecond to seconds, as a file writes it.
fn durations() -> impl Strategy<Value = String> {
    prop_oneof![
        (1_u64..1000).prop_map(|us| format!("{us} us")),
        (1_u64..100).prop_map(|ms| format!("{ms} ms")),
        (100_u64..3000).prop_map(|ms| format!("{ms} ms")),
    ]
}

/// Steps that belong together: what the later ones count from, the first one makes.
fn moves(may_upload: bool) -> BoxedStrategy<Vec<String>> {
    let one = |step: BoxedStrategy<String>| step.prop_map(|step| vec![step]);
    let upload = if may_upload { 2 } else { 0 };
    prop_oneof![
        14 => one(acts()),
        8 => one(waits()),
        4 => sequences(),
        3 => one(held()),
        upload => uploads(),
    ]
    .boxed()
}

/// Steps that hold steps.
fn held() -> BoxedStrategy<String> {
    let inner = || vec(prop_oneof![3 => acts(), 2 => waits()], 1..4).prop_map(|steps| in_flow(&steps));
    let once = move || {
        prop_oneof![
            (2_u32..4, durations(), inner())
                .prop_map(|(times, pause, steps)| format!("retry: {{ times: {times}, pause: {pause}, {steps} }}")),
            (1_u32..5, inner()).prop_map(|(times, steps)| format!("repeat: {{ times: {times}, {steps} }}")),
            (durations(), inner()).prop_map(|(time, steps)| {
                let steps = steps.replacen("steps: [ ", "steps: [ { wait: 1 ms }, ", 1);
                format!("repeat: {{ for: {time}, {steps} }}")
            }),
        ]
    };
    let twice = (2_u32..4, vec(once(), 1..3)).prop_map(|(times, steps)| format!("repeat: {{ times: {times}, {} }}", in_flow(&steps)));
    prop_oneof![4 => once(), 1 => twice].boxed()
}

fn in_flow(steps: &[String]) -> String {
    let steps = steps.iter().map(|step| format!("{{ {step} }}")).collect::<Vec<_>>();
    format!("steps: [ {} ]", steps.join(", "))
}

/// Steps that do something at once.
fn acts() -> BoxedStrategy<String> {
    let note = Just("note: words".to_owned());
    let power = prop_oneof![
        Just("power: off".to_owned()),
        Just("power: on".to_owned()),
        durations().prop_map(|time| format!("power: {{ cycle: {time} }}"))
    ];
    prop_oneof![5 => unwaiting(), 1 => power, 1 => note].boxed()
}

/// What a handler may do as well.
fn unwaiting() -> impl Strategy<Value = String> {
    let speed = prop_oneof![
        4 => select(vec![9600_u32, 57_600, 115_200, 230_400, 460_800, 921_600]),
        1 => select(vec![1_u32, 50, 300, 74_880, 123_457, 1_000_000, 4_000_000]),
    ];
    prop_oneof![
        durations().prop_map(|pulse| format!("reset: {{ pulse: {pulse} }}")),
        select(vec!["reset: assert", "reset: release"]).prop_map(str::to_owned),
        durations().prop_map(|pulse| format!("line: {{ name: wake, pulse: {pulse} }}")),
        select(vec!["assert", "release"]).prop_map(|state| format!("line: {{ name: wake, state: {state} }}")),
        speed.prop_map(|speed| format!("uart: {{ baud: {speed} }}")),
        said().prop_map(|said| format!("send: {{ {said} }}")),
        said().prop_map(|said| format!("send: {{ {said} }}")),
    ]
}

/// Bytes, and commands whole, without their end and in pieces.
fn said() -> impl Strategy<Value = String> {
    const TEXTS: &[&str] = &[
        r"AT\r",
        "AT",
        r"\r",
        "A",
        r"T\r",
        r"ATI\r",
        r"ATE1\r",
        r"AT+CGMR\r",
        r"AT+CGSN\r",
        r"AT+IPR=460800\r",
        r"AT+IPR=9600\r",
        "AT+IPR=",
        r"57600\r",
        r"AT+CFUN=0\r",
        r"AT+CFUN=1,1\r",
        r"AT#LDRST=2,2\r",
        r"AT#RESET=1\r",
        r"AT#BOOT\r",
        r"AT#UP\r",
        r"ATI0\r",
        r"AT+NONESUCH\r",
        r"\0",
        r"\e[31m",
        r"\b\b\b\b\b\b\b\b\r",
        r"\r\n\r\n",
        r"swordfish\r",
        "swor",
        r"dfish\r",
        "\u{20}",
    ];
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    prop_oneof![
        6 => select(TEXTS).prop_map(|text| format!("text: \"{text}\"")),
        2 => select(vec!["c5", "c5 ff", "00", "ff", "9a"]).prop_map(|hex| format!("hex: \"{hex}\"")),
        2 => vec(any::<u8>(), 1..20).prop_map(move |bytes| format!("hex: \"{}\"", hex(&bytes))),
        1 => (any::<u8>(), 1_usize..1500).prop_map(move |(byte, count)| format!("hex: \"{}\"", hex(&vec![byte; count]))),
    ]
}

/// What is waited for, or must not come.
fn patterns() -> impl Strategy<Value = &'static str> {
    select(vec![
        r#"text: "OK\r\n""#,
        r##"text: "#SYSSTART\r\n""##,
        r#"text: "T""#,
        r#"text: ERROR"#,
        r#"hex: "9a""#,
        r#"hex: "00""#,
        r"regex: '\d\.\d\.\d\r'",
        r"regex: '[A-Z#]+\r'",
        r#"text: "\r0\r""#,
    ])
}

/// `never` and `on`, as they stand behind other keys.
fn beside() -> impl Strategy<Value = String> {
    let never =
        option::weighted(0.2, patterns()).prop_map(|never| never.map_or_else(String::new, |never| format!(", never: [ {{ {never} }} ]")));
    let handler = (patterns(), vec(unwaiting(), 1..3)).prop_map(|(heard, steps)| format!("{{ {heard}, {} }}", in_flow(&steps)));
    let on = vec(handler, 0..3).prop_map(|on| if on.is_empty() { String::new() } else { format!(", on: [ {} ]", on.join(", ")) });
    let on = prop_oneof![3 => Just(String::new()), 1 => on];
    (never, on).prop_map(|(never, on)| never + &on)
}

/// Steps that wait.
fn waits() -> BoxedStrategy<String> {
    let expect = (patterns(), durations(), beside())
        .prop_map(|(wanted, within, beside)| format!("expect: {{ {wanted}, within: {within}{beside} }}"));
    let edge = (select(vec!["assert", "release", "any"]), durations())
        .prop_map(|(edge, within)| format!("expect: {{ line: ring, edge: {edge}, within: {within} }}"));
    let all = (patterns(), patterns(), durations(), beside()).prop_map(|(one, other, within, beside)| {
        let other = if other == one { r#"text: "x""# } else { other };
        format!("all: {{ within: {within}, patterns: [ {{ {one} }}, {{ {other} }} ]{beside} }}")
    });
    let command =
        select(vec!["AT", "ATI", "AT+CGMR", "AT+IPR=460800", "AT+IPR=115200", "AT+CFUN=1,1", "AT#LDRST=2,2", "AT+NONESUCH", "AT+CFUN=0"]);
    let answer = select(vec!["any", "OK", "ERROR", "silent"]);
    let at = (command, answer, durations(), 1_u32..4, beside()).prop_map(|(command, answer, within, tries, beside)| {
        format!("at: {{ command: \"{command}\", answer: {answer}, within: {within}, tries: {tries}{beside} }}")
    });
    let handshake = prop_oneof![
        Just("handshake: { strategy: st }".to_owned()),
        Just("handshake: { pulse: none, within: 200 ms }".to_owned()),
        (1_u32..30, durations(), select(vec!["acknowledged", "not-acknowledged"]), beside()).prop_map(
            |(every, within, outcome, beside)| {
                format!("handshake: {{ every: {every} ms, within: {within}, outcome: {outcome}{beside} }}")
            }
        ),
    ];
    let command = select(vec!["ATI0", "ATI01", "AT+IPR=460800", "AT#BOOT", "AT+NONESUCH"]);
    let result = select(vec!["any", "0", "error", "silent"]);
    let boot = (command, result, durations(), beside()).prop_map(|(command, result, within, beside)| {
        format!("boot: {{ command: \"{command}\", result: {result}, within: {within}{beside} }}")
    });
    let diagnosis = select(Cause::ALL).prop_map(|cause| format!("diagnosis: {cause}"));
    prop_oneof![
        3 => (durations(), beside()).prop_map(|(time, beside)| format!("wait: {{ for: {time}{beside} }}")),
        2 => durations().prop_map(|time| format!("quiet: {time}")),
        4 => expect,
        1 => edge,
        1 => all,
        4 => at,
        3 => handshake,
        2 => boot,
        1 => diagnosis,
        1 => (1_u32..30).prop_map(|s| format!("restore: {{ within: {s} s }}")),
    ]
    .boxed()
}

/// Steps of which the later ones need what the earlier ones make.
fn sequences() -> BoxedStrategy<Vec<String>> {
    let timed = (durations(), said(), durations()).prop_map(|(pulse, said, after)| {
        vec![format!("reset: {{ pulse: {pulse} }}"), format!("send: {{ {said}, at: release + {after} }}")]
    });
    // Without handlers: what they say to a flood is a flood, and this one may take long.
    let started = durations().prop_map(|pulse| {
        let expect = "expect: { text: \"#SYSSTART\\r\\n\", within: 35 s, of: release, as: up }";
        let measure = "measure: { name: start_up, from: release, to: up, within: 2 s }";
        let check = "check: { value: $start_up, is: \">=100 ms\" }";
        vec![format!("reset: {{ pulse: {pulse} }}"), expect.to_owned(), measure.to_owned(), check.to_owned()]
    });
    let entered = (1_u32..20, select(vec!["ATI0", "AT+IPR=460800", "AT#BOOT"])).prop_map(|(every, command)| {
        vec![format!("handshake: {{ every: {every} ms, within: 3 s }}"), format!("boot: {{ command: \"{command}\", result: any }}")]
    });
    let faster = select(vec![9600_u32, 230_400, 460_800, 921_600]).prop_map(|speed| {
        let at = format!("at: {{ command: \"AT+IPR={speed}\", answer: any, tries: 2 }}");
        vec![at, format!("uart: {{ baud: {speed} }}"), "at: { command: AT, tries: 2 }".to_owned()]
    });
    let who = (said(), durations(), acts(), waits()).prop_map(|(said, within, one, other)| {
        let patterns = r#"{ application: { text: "OK\r\n" }, boot-code: { text: "\r0\r" }, refused: { text: ERROR } }"#;
        vec![
            format!("send: {{ {said} }}"),
            format!("any: {{ within: {within}, keep: who, patterns: {patterns} }}"),
            format!("when: {{ value: $who, is: application, {}, else: [ {{ {other} }} ] }}", in_flow(&[one])),
        ]
    });
    prop_oneof![timed, started, entered, faster, who].boxed()
}

/// An upload, with and without a way into the boot code.
fn uploads() -> BoxedStrategy<Vec<String>> {
    let image = select(vec!["newer", "older", "broken"]);
    let on = option::weighted(0.4, (0_u32..700, unwaiting()))
        .prop_map(|on| on.map(|(byte, step)| format!(", on: [ {{ byte: {byte}, {} }} ]", in_flow(&[step]))));
    let result = select(vec!["accepted", "refused"]);
    (proptest::bool::weighted(0.8), image, result, on, 100_u32..3000)
        .prop_map(|(enters, image, result, on, ms)| {
            // A handler that resets breaks it off.
            let result = if on.as_ref().is_some_and(|on| on.contains("reset")) { "interrupted" } else { result };
            let on = on.unwrap_or_default();
            let upload = format!("upload: {{ image: {image}, result: {result}, request-within: {ms} ms, within: 20 s{on} }}");
            let entry = enters.then(|| "handshake: { within: 3 s }".to_owned());
            entry.into_iter().chain([upload]).collect()
        })
        .boxed()
}

//! What loads, and what it becomes. What must be refused stands in fixtures/refused.

use std::path::Path;
use std::time::Duration;

use crate::bench::Bench;
use crate::document::Diagnostic;
use crate::plan::{Action, Anchor, AtAnswer, BootResult, Case, Effect, HandshakeOutcome, Plan, Reset, Strategy, UploadResult};
use crate::scenario::load_text;
use crate::seam::LineState;

fn load(text: &str) -> Plan {
    load_with(text, None)
}

fn load_with(text: &str, bench: Option<&Bench>) -> Plan {
    load_text(Path::new("test.yaml"), text, bench).unwrap_or_else(|problems| panic!("{}", Diagnostic::render_all(&problems, false)))
}

/// The one case of a file with these steps and all effects.
fn steps(steps: &str) -> Case {
    let text = format!("format: 1\nscenario: test\neffects: [speed, nvm, firmware, downgrade-attempt, raw]\nsteps:\n{steps}");
    load(&text).cases.remove(0)
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_matrix_gives_a_case_for_each_combination_the_last_name_fastest() {
    let plan = load(
        "format: 1\nscenario: test\nmatrix:\n  late: [3 s, 8 s]\n  word: [\"a b\", 00]\nsteps:\n  - reset: { pulse: 15 ms }\n  - send: { text: \"$word\\r\", at: release + $late }\n",
    );
    let names = plan.cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["test [late=3 s, word=a b]", "test [late=3 s, word=00]", "test [late=8 s, word=a b]", "test [late=8 s, word=00]"]);
    let sent = plan
        .cases
        .iter()
        .map(|case| match &case.steps[1].action {
            Action::Send(send) => (String::from_utf8(send.bytes.to_vec()).unwrap(), send.at.clone()),
            other => panic!("{other:?}"),
        })
        .collect::<Vec<_>>();
    let release = |seconds| Some((Anchor::Release, Duration::from_secs(seconds)));
    let expected = [("a b\r", release(3)), ("00\r", release(3)), ("a b\r", release(8)), ("00\r", release(8))];
    assert_eq!(sent, expected.map(|(text, at)| (text.to_owned(), at)));
    assert_eq!(plan.cases[3].matrix, [("late".to_owned(), "8 s".to_owned()), ("word".to_owned(), "00".to_owned())]);
}

#[test]
fn steps_are_numbered_placed_and_shown_in_one_line() {
    let case = load(
        "format: 1\nscenario: test\nsteps:\n  # A comment.\n  - expect:\n      text: \"OK\\r\\n\" # Another.\n      within: 300 ms\n      never: [ { text: ERROR } ]\n      because: it should\n  - wait: 1 s\nfinally:\n  - restore:\n",
    )
    .cases
    .remove(0);
    let shown = case.steps.iter().chain(&case.finally).map(|step| (step.id, step.line, step.text.as_str())).collect::<Vec<_>>();
    let expect = r#"expect: { text: "OK\r\n", within: 300 ms, never: [{ text: ERROR }], because: it should }"#;
    assert_eq!(shown, [(0, 5, expect), (1, 10, "wait: 1 s"), (2, 12, "restore:")]);
    assert_eq!(case.steps[0].because.as_deref(), Some("it should"));
    assert_eq!(case.line, 2);
}

#[test]
fn what_a_step_does_not_say_has_its_default() {
    let case = steps(
        "  - at: { command: ATI }\n  - handshake:\n  - boot: { command: ATI0 }\n  - upload: { image: { make: { A: 2.8.0 } } }\n  - restore:\n  - expect: { hex: 9a, within: 1 s }\n",
    );
    match &case.steps[0].action {
        Action::At(at) => assert_eq!((&at.answer, at.within, at.tries, at.shows.is_none()), (&AtAnswer::Ok, ms(2_000), 1, true)),
        other => panic!("{other:?}"),
    }
    match &case.steps[1].action {
        Action::Handshake(handshake) => assert_eq!(
            (handshake.strategy, handshake.pulse, handshake.within, handshake.outcome),
            (Strategy::Repeat { every: ms(5) }, Some(ms(15)), ms(1_000), HandshakeOutcome::Acknowledged)
        ),
        other => panic!("{other:?}"),
    }
    match &case.steps[2].action {
        Action::Boot(boot) => assert_eq!((&boot.result, boot.within), (&BootResult::Success, ms(300))),
        other => panic!("{other:?}"),
    }
    match &case.steps[3].action {
        Action::Upload(upload) => {
            let times = (upload.answer_within, upload.request_within, upload.within);
            assert_eq!((upload.result, times), (UploadResult::Accepted, (ms(300), ms(10_000), ms(600_000))));
            let image = &case.images[&upload.image];
            assert_eq!(
                (image.file_name.as_str(), image.bytes.len(), image.made_up),
                ("ST87M01_A_2_8_0_M_2_8_0_S_2_8_0_key0405.img", 16 * 1024, true)
            );
        }
        other => panic!("{other:?}"),
    }
    match &case.steps[4].action {
        Action::Restore(restore) => {
            let ladder = restore.ladder.iter().map(|speed| speed.bits_per_second()).collect::<Vec<_>>();
            assert_eq!((ladder, restore.within), (crate::diagnosis::USUAL.to_vec(), ms(60_000)));
        }
        other => panic!("{other:?}"),
    }
    match &case.steps[5].action {
        Action::Expect(expect) => {
            assert_eq!((expect.of.clone(), expect.patterns.wanted, expect.patterns.set.len()), (Anchor::StepBefore, 1, 1))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_step_says_is_taken() {
    let case = steps(concat!(
        "  - reset: assert\n  - reset: { line: release, because: so }\n  - at: { command: AT, answer: \"+CME ERROR: 1120\", within: 5 s, tries: 3, control: true }\n",
        "  - handshake: { strategy: st, pulse: none, outcome: not-acknowledged }\n  - boot: { command: ATI0, result: 40f1 }\n  - quiet: { for: 200 ms, never: [ { text: A }, { hex: 00 } ] }\n",
        "  - expect: { regex: 'O[K]\\r', within: 300 ms, of: release, never: [ { text: E } ] }\n  - diagnosis: { cause: nothing-came }\n  - send: { hex: \"c5 FF 00\" }\n",
    ));
    assert!(matches!(case.steps[0].action, Action::Reset(Reset::Hold(LineState::Asserted))));
    assert!(matches!(case.steps[1].action, Action::Reset(Reset::Hold(LineState::Released))));
    assert_eq!(case.steps[1].because.as_deref(), Some("so"));
    match &case.steps[2].action {
        Action::At(at) => assert_eq!((&at.answer, at.within, at.tries), (&AtAnswer::Cme(1120), ms(5_000), 3)),
        other => panic!("{other:?}"),
    }
    assert!(case.steps[2].control && !case.steps[1].control);
    match &case.steps[3].action {
        Action::Handshake(handshake) => {
            assert_eq!((handshake.strategy, handshake.pulse, handshake.outcome), (Strategy::St, None, HandshakeOutcome::NotAcknowledged));
        }
        other => panic!("{other:?}"),
    }
    match &case.steps[4].action {
        Action::Boot(boot) => assert_eq!(boot.result, BootResult::Error("40f1".to_owned())),
        other => panic!("{other:?}"),
    }
    match &case.steps[5].action {
        Action::Quiet(quiet) => assert_eq!(quiet.never.as_ref().map(|never| never.len()), Some(2)),
        other => panic!("{other:?}"),
    }
    match &case.steps[6].action {
        Action::Expect(expect) => {
            assert_eq!((expect.of.clone(), expect.patterns.wanted, expect.patterns.set.len()), (Anchor::Release, 1, 2))
        }
        other => panic!("{other:?}"),
    }
    match &case.steps[8].action {
        Action::Send(send) => assert_eq!((&send.bytes[..], send.raw, send.at.clone()), (&[0xc5, 0xff, 0][..], true, None)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn effects_are_derived_from_what_is_sent() {
    let derived = |verbs: &str| {
        let case = steps(verbs);
        let mut effects =
            crate::plan::effects::derive(&case.steps).into_iter().map(|derived| (derived.step, derived.effect)).collect::<Vec<_>>();
        effects.sort();
        effects
    };
    assert_eq!(
        derived("  - at: { command: at+ipr=9600 }\n  - boot: { command: AT+IPR=460800 }\n"),
        [(0, Effect::Speed), (1, Effect::Speed)]
    );
    assert_eq!(derived("  - at: { command: \"AT+IPR=?\" }\n  - at: { command: \"AT+IPR?\" }\n"), []);
    assert_eq!(derived("  - at: { command: AT#NVMSV=2 }\n  - at: { command: AT+CMEE=1;&W }\n"), [(0, Effect::Nvm), (1, Effect::Nvm)]);
    assert_eq!(
        derived("  - send: { text: \"AT+I\" }\n  - send: { text: \"PR=9600\\r\" }\n  - send: { text: \"AT\\r\" }\n"),
        [(1, Effect::Speed)]
    );
    assert_eq!(
        derived("  - send: { text: \"AT\\r\\n\" }\n  - send: { text: \"\\b\" }\n  - send: { hex: 41 }\n"),
        [(1, Effect::Raw), (2, Effect::Raw)]
    );
    assert_eq!(derived("  - handshake:\n  - restore:\n  - boot: { command: AT#UP }\n"), [(2, Effect::Firmware)]);
    let upload = |result: &str| derived(&format!("  - upload: {{ image: {{ make: {{ A: 2.8.0 }} }}, result: {result} }}\n"));
    assert_eq!(upload("accepted"), [(0, Effect::Firmware)]);
    assert_eq!(upload("refused"), [(0, Effect::Firmware), (0, Effect::DowngradeAttempt)]);
}

#[test]
fn the_worst_case_is_the_sum_of_the_bounds() {
    for (verbs, worst) in [
        ("  - reset: { pulse: 15 ms }\n  - wait: 1 s\n  - quiet: 200 ms\n  - expect: { text: A, within: 300 ms }\n", 1_515),
        ("  - at: { command: AT, within: 2 s, tries: 3 }\n", 6_000),
        ("  - handshake: { within: 1 s, pulse: 15 ms }\n", 1_015),
        ("  - handshake: { strategy: st }\n", 3 * 615),
        ("  - boot: { command: ATI0, within: 300 ms }\n", 3 * 400),
        ("  - upload: { image: { make: { A: 2.8.0 } }, within: 2 min }\n  - restore: { within: 20 s }\n", 140_000),
    ] {
        let case = steps(verbs);
        assert_eq!((case.worst_case(), case.deadline), (ms(worst), ms(worst + 5_000)), "{verbs}");
    }
    // A deadline that is shorter than the sum ends the case before it.
    let plan = load("format: 1\nscenario: test\ndeadline: 10 s\nsteps:\n  - wait: 1 min\nfinally:\n  - restore: { within: 20 s }\n");
    assert_eq!((plan.cases[0].worst_case(), plan.cases[0].finally_deadline), (ms(30_000), ms(25_000)));
}

#[test]
fn a_worst_case_that_is_too_long_to_count_is_the_longest() {
    let round = (0..4).fold("wait: 1440 min".to_owned(), |steps, _| format!("repeat: {{ times: 100000, steps: [ {steps} ] }}"));
    let case = steps(&format!("  - {round}\nfinally:\n  - {round}\n"));
    assert_eq!(case.worst_case(), Duration::MAX);
    let plan = Plan { cases: vec![case.clone(), case.clone()] };
    assert_eq!(plan.worst_case(), Duration::MAX);
    assert!(!crate::plan::units::show_duration(case.worst_case()).is_empty());
    let case = steps("  - retry: { times: 3, pause: 1 s, steps: [ wait: 10 s ] }\n");
    assert_eq!(case.worst_case(), ms(32_000), "a pause stands between two tries");
}

#[test]
fn images_of_the_bench_go_first_and_give_their_versions() {
    let text = "format: 1\nscenario: test\neffects: [firmware]\nimages:\n  newer: { make: { A: 2.9.0, size: 1 KiB } }\nrequires: { firmware: \"<$image.newer.A, >=2.6.0\" }\nsteps:\n  - upload: { image: newer }\n  - expect: { regex: '$image.newer.A\\r', within: 1 s }\n";
    let bench = "format: 1\nboards:\n  kit-1: { port: /dev/ttyUSB0, reset: { backend: rppal, gpio: 17 } }\nimages:\n  newer: { path: fixtures/images/ST87M01_A_2_8_0_M_2_8_0_S_2_8_0_key0405.img }\n";
    let bench = Bench::load_text(Path::new("bench.yaml"), bench).unwrap();
    for (bench, version, made_up, length) in [(None, "2.9.0", true, 1024), (Some(&bench), "2.8.0", false, 2048)] {
        let case = load_with(text, bench).cases.remove(0);
        assert_eq!(case.requires.firmware.iter().map(|bound| bound.version.to_string()).collect::<Vec<_>>(), [version, "2.6.0"]);
        assert_eq!((case.images["newer"].made_up, case.images["newer"].bytes.len()), (made_up, length));
        match &case.steps[1].action {
            Action::Expect(expect) => {
                assert_eq!(expect.patterns.set.pattern(0).to_string(), format!("/{}\\r/", version.replace('.', "\\.")));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_matrix_makes_its_own_images() {
    let plan = load(
        "format: 1\nscenario: test\neffects: [firmware]\nmatrix: { version: [2.7.1, 2.8.0] }\nimages:\n  it: { make: { A: $version, G: 1.2.3, size: 1 KiB } }\nsteps:\n  - upload: { image: it }\n",
    );
    let names = plan.cases.iter().map(|case| case.images["it"].file_name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["ST87M01_A_2_7_1_M_2_7_1_S_2_7_1_G_1_2_3_key0405.img", "ST87M01_A_2_8_0_M_2_8_0_S_2_8_0_G_1_2_3_key0405.img"]);
    assert_ne!(plan.cases[0].images["it"].sha256, plan.cases[1].images["it"].sha256);
}

#[test]
fn a_thousand_cases_are_made_at_once_and_one_more_is_refused() {
    let text = |last: usize| {
        let ten = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
        let values = (0..last).map(|value| value.to_string()).collect::<Vec<_>>().join(", ");
        format!("format: 1\nscenario: test\nmatrix: {{ a: {ten}, b: {ten}, c: [{values}] }}\nsteps:\n  - at: {{ command: AT$a$b$c }}\n")
    };
    assert_eq!(load(&text(10)).cases.len(), 1_000);
    let problems = load_text(Path::new("test.yaml"), &text(11), None).unwrap_err();
    assert_eq!(problems[0].message, "the matrix comes to 1100 cases; a file may have 1000");
}

#[test]
fn the_table_lists_every_case() {
    let plan = load(
        "format: 1\nscenario: test\ntags: [default, nightly]\neffects: [speed]\nmatrix: { late: [3 s, 8 s] }\nsteps:\n  - wait: $late\n",
    );
    assert_eq!(
        plan.table(),
        "CASE             TAGS             EFFECTS  AT MOST\n\
         test [late=3 s]  default,nightly  speed    3 s\n\
         test [late=8 s]  default,nightly  speed    8 s\n"
    );
}

#[test]
fn a_virtual_board_with_a_fault_is_told_from_one_with_an_assumption() {
    let setup = |settings: &str| {
        let text = format!("format: 1\nscenario: test\nmatrix: {{ window: [20 ms] }}\nvirtual: {{ {settings} }}\nsteps:\n  - wait: 1 s\n");
        load(&text).cases.remove(0).virtual_board
    };
    let assumed = setup("boot-window: $window, firmware: 2.8.0");
    assert_eq!(assumed.settings, [("boot-window".to_owned(), "20 ms".to_owned()), ("firmware".to_owned(), "2.8.0".to_owned())]);
    assert!(!assumed.has_faults);
    assert_eq!(assumed.settings_for(0).boot_window, ms(20));
    assert!(setup("boot-window: $window, accepts-downgrade: true").has_faults);
}

#[test]
fn faults_of_a_virtual_board_stand_alone_or_in_a_list_and_settings_beside_them_count() {
    let setup = |settings: &str| {
        let text = format!("format: 1\nscenario: test\nmatrix: {{ what: [deaf] }}\nvirtual: {{ {settings} }}\nsteps:\n  - wait: 1 s\n");
        load(&text).cases.remove(0).virtual_board
    };
    let one = setup("fault: $what");
    assert!(one.has_faults && one.settings_for(7).deaf);
    let several = setup("wrong-port-period: 20 ms, fault: [wrong-port=log, \"watchdog-after=3 s\"]");
    let settings = several.settings_for(7);
    assert_eq!((settings.wrong_port_period, settings.watchdog_after), (ms(20), ms(3000)));
    assert_eq!(settings.faults.iter().copied().collect::<Vec<_>>(), ["watchdog-after", "wrong-port"]);
    let drawn = |seed| setup("fault: still-booting").settings_for(seed).still_booting;
    assert!(drawn(1) != drawn(2) && drawn(1) == drawn(1));
    let both = one.followed_by(&setup("deaf: false"));
    assert!(both.has_faults && !both.settings_for(0).deaf, "what comes later counts");
}

#[test]
fn an_image_that_is_refused_in_one_file_hides_no_mistake_in_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, images: &str| {
        let text = format!("format: 1\nscenario: {name}\nimages:\n{images}steps:\n  - wait: 1 s\n");
        let file = folder.path().join(format!("{name}.yaml"));
        std::fs::write(&file, text).unwrap();
        file
    };
    let copy = "  copy: { from: newer, damage: { offset: 0 B, xor: ff } }\n";
    let one = file("one", &format!("  newer: {{ make: {{ A: nonsense }} }}\n{copy}"));
    let other = file("other", copy);
    let problems = crate::scenario::load(&[one.clone(), other.clone()], None).unwrap_err();
    let found: Vec<_> = problems.iter().map(|problem| (problem.file.as_path(), problem.message.as_str())).collect();
    assert_eq!(found.len(), 2, "a copy of what was complained about is no further mistake: {found:?}");
    assert_eq!(found[1], (other.as_path(), "there is no image `newer` before this one"));
    assert_eq!(found[0].0, one);
}

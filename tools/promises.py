"""What is promised, which tests keep each promise, and when they last passed, as `tools/keep_promises.py` recorded it.

`tools/write_pages.py` makes docs/promises.md of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["KEPT", "PROMISES", "Promise", "Run", "promises_page", "runs_on_record"]

KEPT = Path(__file__).with_name("promises_kept.json")


@dataclass(frozen=True)
class Run:
    """A run of a test: at which commit, on which day, and how many of its cases passed and failed."""

    commit: str
    day: str
    passed: int
    failed: int

    def to_json(self) -> list[str | int]:
        """What the record holds."""
        return [self.commit, self.day, self.passed, self.failed]

    def __str__(self) -> str:
        if self.failed:
            return f"{self.failed} of {self.passed + self.failed} failed on {self.day} at `{self.commit}`"
        cases = f", {self.passed} cases" if self.passed > 1 else ""
        return f"passed on {self.day} at `{self.commit}`{cases}"


def runs_on_record() -> dict[str, Run]:
    """Test → its last run."""
    if not KEPT.exists():
        return {}
    return {test: Run(*run) for test, run in json.loads(KEPT.read_text(encoding="utf-8")).items()}


@dataclass(frozen=True)
class Promise:
    """A promise in sentences, the tests that keep it (`file::function`, below `tests/`), and what it leaves out."""

    said: str
    tests: tuple[str, ...]
    without: str = ""


PROMISES: dict[str, tuple[Promise, ...]] = {
    "It is right, or says that it does not know": (
        Promise(
            "`trained` is said of what plain training changes because of a gradient, and of nothing else.",
            (
                "test_random_programs.py::test_the_verdicts_are_what_plain_training_proves",
                "test_oracle.py::test_trained_means_that_real_steps_change_it_because_of_a_gradient",
                "test_programs.py::test_a_broken_program_is_judged_right",
                "test_programs.py::test_a_healthy_program_raises_no_alarm",
            ),
            "The random programs are drawn by a generator; what it cannot draw is not tried.",
        ),
        Promise(
            "Every parameter that an optimizer holds and that does not train has a finding or a reason.",
            ("test_random_programs.py::test_the_verdicts_are_what_plain_training_proves",),
        ),
        Promise(
            "A part of fxaudit that fails costs its own answer and not the report.",
            (
                "test_failing_parts.py::test_a_watch_outlives_any_part",
                "test_failing_parts.py::test_an_audit_outlives_any_rule",
                "test_failing_parts.py::test_where_the_judging_fails_every_parameter_is_unknown",
            ),
        ),
    ),
    "It leaves no trace": (
        Promise(
            "After `audit()` parameters, gradients, buffers, hooks, flags, slots, optimizers, random "
            "numbers and modes are bit "
            "for bit what they were; also where the program raises or is interrupted between two of its statements.",
            (
                "test_untouched.py::test_an_audit_leaves_no_trace",
                "test_untouched_properties.py::test_after_an_audit_nothing_has_changed",
                "test_untouched_properties.py::test_wherever_an_audit_ends_nothing_has_changed",
            ),
            "A Ctrl-C in the very moment in which fxaudit puts something back is not tried.",
        ),
        Promise(
            "Twenty steps are the same with and without an audit between them.",
            ("test_untouched_properties.py::test_twenty_steps_are_the_same_with_an_audit_between",),
        ),
        Promise(
            "Rates, groups, schedulers and plain attributes of modules that the closure changes are put back.",
            (
                "test_untouched.py::test_rates_that_the_closure_changes_are_what_they_were",
                "test_untouched.py::test_a_scheduler_that_the_closure_steps_is_what_it_was",
                "test_untouched.py::test_a_group_that_the_closure_adds_is_gone",
                "test_untouched.py::test_counters_and_settings_of_modules_are_what_they_were",
            ),
        ),
        Promise(
            "`run` and `watch` change no number that the program computes.",
            (
                "test_same_numbers.py::test_watching_changes_no_number",
                "test_same_numbers.py::test_running_to_the_end_changes_no_number",
                "test_random_programs.py::test_the_verdicts_are_what_plain_training_proves",
            ),
        ),
        Promise(
            "A script that does what nobody expects of one runs to the same end, prints the same, and is judged right.",
            ("test_hostile_scripts.py::test_a_hostile_script_runs_as_ever_and_is_judged_right",),
            "A script that replaces functions of `builtins` by ones that answer wrongly.",
        ),
        Promise(
            "torch is afterwards what it was, also where watches and audits overlap or are interrupted.",
            (
                "test_nesting.py::test_everything_that_was_replaced_stands_in_its_place_again",
                "test_untouched.py::test_torch_is_afterwards_what_it_was_before",
                "test_untouched_properties.py::test_wherever_a_watched_loop_is_interrupted_torch_is_as_it_was",
            ),
        ),
        Promise(
            "No graph, activation or model is kept alive, and what an audit recorded is freed as it returns.",
            (
                "test_untouched.py::test_what_an_audit_recorded_goes_at_once_and_does_not_wait_for_the_collector",
                "test_untouched.py::test_an_audit_keeps_no_model_activation_or_graph",
                "test_untouched.py::test_after_a_watch_nothing_is_kept",
                "test_untouched.py::test_why_keeps_nothing",
            ),
            "The Python objects that PyTorch itself keeps for autograd nodes once seen, and the stack limit.",
        ),
    ),
    "The report comes": (
        Promise(
            "A process that ends by SIGTERM, SIGHUP, SIGXCPU, `os._exit`, `os.abort` or `os.exec…` writes "
            "first what was seen, and "
            "then goes as it would have gone. The script's own handlers come first.",
            (
                "test_leaving.py::test_a_signal_that_ends_the_process_ends_it_after_the_report",
                "test_leaving.py::test_the_scripts_own_handler_is_the_one_that_is_called",
                "test_leaving.py::test_a_function_that_never_returns_tells_first",
            ),
            "A signal waits while the main thread is inside a call of C that does not return. SIGKILL and "
            "crashes of the "
            "interpreter leave what `--to-end` had written when the recording ended.",
        ),
        Promise(
            "A file is written whole or not at all; what is no regular file is written into; one output "
            "that fails keeps no other "
            "back; a stream that is closed or full is told in one line.",
            (
                "test_failing_parts.py::test_one_output_that_fails_keeps_no_other_back",
                "test_failing_parts.py::test_a_fifo_is_written_into_and_stays_one",
                "test_leaving.py::test_the_report_goes_where_the_shell_expects_it_though_the_script_closed_that",
                "test_leaving.py::test_the_files_come_and_one_line_says_so_where_stdout_is_full",
            ),
        ),
        Promise(
            "A `dot` that dies is replaced by graphviz-pure.",
            ("test_failing_parts.py::test_a_dot_that_dies_is_replaced",),
        ),
    ),
    "What it reads does nothing": (
        Promise(
            "A report or recording that is damaged, mistyped or without end is refused in one sentence.",
            (
                "renderers/test_hostile_reports.py::test_a_bent_report_is_refused_or_shown",
                "renderers/test_hostile_reports.py::test_a_part_that_is_missing_is_damage_or_not_needed",
                "test_recordings.py::test_a_mutated_recording_is_refused_or_judged_and_never_raises_anything_else",
            ),
        ),
        Promise(
            "No text in a report sends anything to a terminal, starts a command of a workflow, or runs in "
            "a page or picture.",
            (
                "renderers/test_hostile_reports.py::test_no_field_sends_anything_to_a_terminal",
                "renderers/test_hostile_reports.py::test_no_field_starts_a_command_of_a_workflow",
                "renderers/test_hostile_reports.py::test_no_field_runs_in_a_page",
                "renderers/test_hostile_reports.py::test_no_field_breaks_out_of_xml",
            ),
        ),
        Promise(
            "A saved report loads and is shown without torch and without running code.",
            ("renderers/test_saved_reports.py::test_a_saved_report_loads_and_renders_without_torch",),
        ),
    ),
}


def promises_page() -> str:
    """docs/promises.md without the notice on its first line."""
    lines = [
        "# What is promised, and how it is tested",
        "",
        "Each promise names the tests that keep it; all of them run in CI on every change. `make random` "
        "compares more random",
        "programs with plain training, `make explore` tries the properties with thousands of new "
        "examples. A test fails where this",
        "page names one that is not there.",
        "",
        "Beside a test stands when it last passed, at which commit, and in how many cases: `make promises` runs them",
        "and writes that down. It is true of that commit, not of the one that you read; where nothing stands, it was",
        "not run so yet.",
    ]
    runs = runs_on_record()
    for title, promises in PROMISES.items():
        lines += ["", f"## {title}"]
        for promise in promises:
            lines += ["", promise.said, ""]
            lines += [f"- `tests/{test}`" + (f": {runs[test]}" if test in runs else "") for test in promise.tests]
            if promise.without:
                lines += [f"- *Not promised:* {promise.without}"]
    return "\n".join(lines) + "\n"

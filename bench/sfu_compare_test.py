#!/usr/bin/env python3
"""sfu_compare: which figures it takes from the steps, and how it looks for the last number of viewers that holds."""

import contextlib
import io
import types
import unittest

import sfu_compare


def step(viewers, holds=True, cpu=0.5, packets_per_second=1000.0, memory=0):
    return {"viewers": viewers, "holds": holds, "why": "" if holds else "late", "cpu": cpu, "load_cpu": 0.5,
            "packets_per_second": packets_per_second, "bytes": memory, "delay_p50_ms": 1, "delay_p99_ms": 2,
            "loss_percent": 0}


class Figures(unittest.TestCase):
    RUNS = [("sluice", [step(10, memory=500_000), step(20, packets_per_second=9000, memory=600_000)]),
            ("pion", [step(10, packets_per_second=900, memory=1_000_000), step(20, holds=False)]),
            ("janus", [step(10, holds=False)]),
            ("sluice", [step(10, memory=500_000), step(20, packets_per_second=7000, cpu=1, memory=800_000)])]

    def setUp(self):
        self.measures = {each["name"]: each for each in sfu_compare.measures_of(self.RUNS, [10, 20])}

    def test_ours_is_the_mean_of_both_runs_and_the_spread_their_distance(self):
        packets = self.measures["sfu/packets"]
        self.assertEqual((packets["ours"], packets["spread"], packets["peers"]), (8000, 0.25, {"pion": 900}))

    def test_packets_of_a_core_follow_from_the_share_that_was_used(self):
        packets = self.measures["sfu/packets_per_core"]
        self.assertEqual((packets["ours"], packets["peers"]["pion"]), ((18000 + 7000) / 2, 1800))
        self.assertTrue(packets["met"])

    def test_memory_is_what_further_viewers_take(self):
        memory = self.measures["sfu/memory"]
        self.assertEqual((memory["ours"], memory["peers"]["pion"]), ((10 + 30) / 2, 100))
        self.assertTrue(memory["met"])

    def test_a_step_that_does_not_hold_has_no_figure(self):
        self.assertEqual(list(self.measures["sfu/cpu/10"]["peers"]), ["pion"])
        self.assertEqual(self.measures["sfu/cpu/20"]["peers"], {})

    def test_a_goal_that_is_missed(self):
        ours, theirs = [("sluice", [step(10, memory=4)])], [("janus", [step(10, cpu=0.4, memory=10)])]
        found = {each["name"]: each["met"] for each in sfu_compare.measures_of(ours + theirs, [])}
        self.assertEqual(found, {"sfu/viewers": None, "sfu/packets": None, "sfu/packets_per_core": False,
                                 "sfu/memory": False})


class Search(unittest.TestCase):
    def steps_until(self, most, viewers, refine):
        """The numbers that are tried with a server that holds `most` viewers."""
        self.addCleanup(setattr, sfu_compare, "measure_step", sfu_compare.measure_step)
        sfu_compare.measure_step = lambda server, count, options, log: step(count, holds=count <= most)
        options = types.SimpleNamespace(viewers=viewers, refine=refine)
        with contextlib.redirect_stdout(io.StringIO()):
            steps = sfu_compare.measure_server("sluice", None, options, None)
        return [each["viewers"] for each in steps]

    def test_it_stops_at_what_does_not_hold_and_goes_between(self):
        self.assertEqual(self.steps_until(260, [100, 200, 400, 700], 2), [100, 200, 400, 300, 250])

    def test_all_hold(self):
        self.assertEqual(self.steps_until(1000, [100, 200], 2), [100, 200])

    def test_nothing_is_left_between(self):
        self.assertEqual(self.steps_until(0, [1], 2), [1])


class Judgement(unittest.TestCase):
    @staticmethod
    def judged(loss=0.0, delay=1.0, with_media=5, load_cpu=0.5, failures=None, unread=0):
        report = {"packets_per_second": 1, "failures": failures or {}, "viewers": {"with_media": with_media},
                  "dropped_unread": unread,
                  "received": {"loss_percent": loss, "delay": {"p50_ms": 1, "p99_ms": delay}}}
        options = types.SimpleNamespace(max_loss=0.1, max_delay_p99=20)
        return sfu_compare.judge({"viewers": 5, "load_cpu": load_cpu}, report, options)

    def test_a_server_that_keeps_to_the_limits(self):
        self.assertTrue(self.judged(loss=0.1, delay=20, load_cpu=1)["holds"])

    def test_one_that_does_not(self):
        for fault, why in (({"loss": 0.2}, "loss 0.20 %"), ({"delay": 21}, "p99 21 ms"),
                           ({"with_media": 4}, "4 viewers got media"), ({"failures": {"no": 2}}, "2 x no"),
                           ({"loss": 1, "unread": 7},
                            "loss 1.00 %; the load did not read 7 datagrams in time (joined ones count once)"),
                           ({"delay": 21, "load_cpu": 0.99}, "p99 21 ms; the CPU of the load is full")):
            with self.subTest(fault):
                judged = self.judged(**fault)
                self.assertEqual((judged["holds"], judged["why"]), (False, why))


if __name__ == "__main__":
    unittest.main()

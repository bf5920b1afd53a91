// ./dev bench: measures Sluice and other libraries in one run.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <regex>
#include <string>

#include "fleet.h"
#include "measures.h"
#include "pin.h"
#include "report.h"

namespace sluice::bench {
namespace {

struct Arguments {
  bool quick = false;
  bool million = false;
  bool fleet = false;
  bool fan_out = false;
  std::string pion_fan_out;
  bool is_long = false;
  std::size_t fleet_sessions = 0;
  bool list = false;
  std::string json;
  std::string filter = ".";
};

void add_fleets(Measures& measures, const Plan& plan) {
  for (const std::size_t sessions : plan.fleets) {
    add_live_fleet(measures, sessions, plan.fleets.front());
  }
  if (plan.fleets.empty()) return;
  add_fleet_exports(measures, plan.fleets.front());
#if SLUICE_BENCH_STORES
  for (const std::size_t sessions : plan.fleets) add_lmdb_fleet(measures, sessions);
  add_redis_fleet(measures, plan.fleets.front());
#endif
}

Measures all_measures(const Plan& plan) {
  Measures measures;
  add_handshakes(measures);
  add_records(measures);
#if SLUICE_BENCH_MEDIA
  add_srtp(measures);
  add_demultiplexing(measures);
#endif
#if SLUICE_BENCH_STUN
  add_stun(measures);
#endif
  add_threads(measures);
  add_set_up_times(measures);
  add_memory(measures);
  add_endpoints(measures, plan);
  add_strangers(measures);
#if SLUICE_BENCH_FANOUT
  add_lite_sessions(measures);
  add_fan_outs(measures, plan);
#endif
  add_fleets(measures, plan);
  return measures;
}

Plan plan_of(const Arguments& arguments) {
  Plan plan = arguments.quick ? quick_plan() : Plan{};
  plan.million = arguments.million;
  if (arguments.fleet) plan.fleets.push_back(arguments.quick ? kQuickFleet : kSmallFleet);
  if (arguments.fleet_sessions != 0) plan.fleets.push_back(arguments.fleet_sessions);
  plan.pion_fan_out = arguments.pion_fan_out;
  if (arguments.fan_out) {
    plan.fan_outs =
        arguments.quick ? std::vector<std::size_t>{20} : std::vector<std::size_t>{100, 1000};
  }
  if (arguments.is_long) plan.fleets.push_back(kLargeFleet);
  return plan;
}

int measure_all(const Arguments& arguments) {
  const Plan plan = plan_of(arguments);
  std::ofstream json;
  if (!arguments.json.empty()) {
    json.open(arguments.json);
    if (!json) throw std::runtime_error("can't write " + arguments.json);
  }
  const std::regex wanted(arguments.filter);
  std::vector<Outcome> outcomes;
  print_header(std::cout);
  for (const Measure& measure : all_measures(plan)) {
    if (!std::regex_search(measure.name, wanted)) continue;
    if (arguments.list) {
      std::cout << measure.name << '\n';
      continue;
    }
    outcomes.push_back(run(measure, plan));
    print(std::cout, outcomes.back());
  }
  if (json.is_open()) write_json(json, outcomes);
  return 0;
}

// It takes no flags from us.
void start_google_benchmark(char* program) {
  char* arguments[] = {program};
  int count = 1;
  benchmark::Initialize(&count, arguments);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  Arguments arguments;
  CLI::App app("Measures time and memory of Sluice and of other libraries in one run");
  app.add_flag("--quick", arguments.quick, "fewer repetitions, less exact: 20 s");
  app.add_flag("--million", arguments.million,
               "also an Endpoint with 1,000,000 connections: some minutes, 8 GB");
  auto* fleet = app.add_flag("--fleet", arguments.fleet,
                             "also 20,000 mostly idle devices, live and in stores: 30 s");
  app.add_option("--fleet-sessions", arguments.fleet_sessions,
                 "with --fleet: also with so many devices")
      ->needs(fleet)
      ->check(CLI::Range(kSmallFleet, kLargeFleet));
  app.add_flag("--long", arguments.is_long,
               "with --fleet: also with 25,000,000 devices: an hour, 17 GB of memory and 20 GB of "
               "disk in TMPDIR")
      ->needs(fleet);
  app.add_flag("--fanout", arguments.fan_out,
               "also one sender to 100 and to 1,000 receivers, over sockets of the loopback "
               "interface: a minute");
  app.add_option("--pion-fanout", arguments.pion_fan_out,
                 "with --fanout: the program of bench/pion, to compare with")
      ->check(CLI::ExistingFile);
  app.add_flag("--list", arguments.list, "only print the names of the measurements");
  app.add_option("--json", arguments.json, "write the figures to this file");
  app.add_option("--filter", arguments.filter,
                 "only measurements whose name matches this regular expression");
  CLI11_PARSE(app, argc, argv);
  try {
    // Its caches stay warm, and no other core's clock is compared with.
    pin_to(cores().back());
    start_google_benchmark(argv[0]);
    return measure_all(arguments);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

// ./dev bench: measures Sluice and other libraries in one run.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <regex>
#include <string>

#include "measures.h"
#include "pin.h"
#include "report.h"

namespace sluice::bench {
namespace {

struct Arguments {
  bool quick = false;
  bool million = false;
  bool list = false;
  std::string json;
  std::string filter = ".";
};

Measures all_measures(const Plan& plan) {
  Measures measures;
  add_handshakes(measures);
  add_records(measures);
#if SLUICE_BENCH_MEDIA
  add_srtp(measures);
  add_demultiplexing(measures);
#endif
  add_threads(measures);
  add_set_up_times(measures);
  add_memory(measures);
  add_endpoints(measures, plan);
  add_strangers(measures);
  return measures;
}

int measure_all(const Arguments& arguments) {
  Plan plan = arguments.quick ? quick_plan() : Plan{};
  plan.million = arguments.million;
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

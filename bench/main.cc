// ./dev bench: Google Benchmark with two short names for its flags.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "endpoint_bench.h"

namespace {

// --quick, --million and --json FILE in Google Benchmark's words, or as how many connections an
// Endpoint is measured with; the rest as it is.
std::vector<std::string> translate(int argc, char** argv, std::vector<std::int64_t>& connections) {
  connections = {1000, 100'000};
  // The first may be overruled by what follows.
  std::vector<std::string> arguments{argv[0], "--benchmark_min_time=1"};
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--quick") {
      arguments[1] = "--benchmark_min_time=0.05";
      connections = {1000, 10'000};
    } else if (argument == "--million") {
      connections.push_back(1'000'000);
    } else if (argument == "--json" && i + 1 < argc) {
      arguments.push_back(std::string("--benchmark_out=") + argv[++i]);
      arguments.emplace_back("--benchmark_out_format=json");
    } else {
      arguments.push_back(argument);
    }
  }
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::int64_t> connections;
  auto arguments = translate(argc, argv, connections);
  sluice::bench::register_endpoint_benchmarks(connections);
  std::vector<char*> pointers;
  pointers.reserve(arguments.size());
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

// ./dev bench: Google Benchmark with two short names for its flags.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace {

// --quick and --json FILE in Google Benchmark's words; the rest as it is.
std::vector<std::string> translate(int argc, char** argv) {
  std::vector<std::string> arguments{argv[0]};
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--quick") {
      quick = true;
    } else if (argument == "--json" && i + 1 < argc) {
      arguments.push_back(std::string("--benchmark_out=") + argv[++i]);
      arguments.emplace_back("--benchmark_out_format=json");
    } else {
      arguments.push_back(argument);
    }
  }
  arguments.emplace_back(quick ? "--benchmark_min_time=0.05" : "--benchmark_min_time=1");
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  auto arguments = translate(argc, argv);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

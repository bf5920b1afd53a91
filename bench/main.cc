// ./dev bench: Google Benchmark with two short names for its flags.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace {

// --quick and --json FILE in Google Benchmark's words; the rest as it is.
std::vector<std::string> translate(int argc, char** argv) {
  // The first may be overruled by what follows.
  std::vector<std::string> arguments{argv[0], "--benchmark_min_time=1"};
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--quick") {
      arguments[1] = "--benchmark_min_time=0.05";
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
  auto arguments = translate(argc, argv);
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

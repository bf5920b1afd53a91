// A client in each of its states, and everything that can happen to it.
#include "fuzz/connection_harness.h"
#include "fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  fuzz::run_connection(dtls::Role::client, dtls::wire::Reader(fuzz::bytes_of(data, size)));
  return 0;
}

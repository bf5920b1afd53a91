// The command line of LiteOptions.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "common/lite/lite_port.h"

namespace sluice::interop {

inline void add_lite_arguments(CLI::App& app, LiteOptions& options) {
  app.add_option("--ice-port", options.port,
                 "UDP and TCP port of all calls. Default: any free port")
      ->check(CLI::Range(1, 65535));
  app.add_option("--ice-candidates", options.candidates,
                 "Candidates to announce: udp, tcp, or both (the default)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, LiteCandidates>{{"both", LiteCandidates::udp_and_tcp},
                                                {"udp", LiteCandidates::udp},
                                                {"tcp", LiteCandidates::tcp}}));
  app.add_option(
      "--ice-address", options.addresses,
      "Local address for ICE candidates; may be given several times. Default: all addresses, "
      "loopback included");
  app.add_option("--announce", options.announced,
                 "ADDRESS:PORT for ICE candidates in place of the own ones, such as that of a NAT "
                 "that passes on what comes there, by UDP and TCP unless --ice-candidates says "
                 "otherwise; may be given several times");
}

}  // namespace sluice::interop

// The command line of a cluster.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "sfu/cluster/cluster.h"

namespace sluice::interop::sfu {

struct ClusterArguments {
  std::string registry = {};  // "redis:HOST:PORT"; empty: no cluster
  std::string url = {};       // empty: that which the server prints
  std::vector<std::string> networks = {};
  ClusterOptions options = {};
};

void add_cluster_arguments(CLI::App& app, ClusterArguments& arguments);

// Without a value: there is no cluster. The error says which options contradict each other.
tl::expected<std::optional<ClusterOptions>, std::string> cluster_options(
    const CLI::App& app, const ClusterArguments& arguments);

// The URL by which other nodes reach this one. The error says that it must be given. `printed`: the
// URL of the server's pages.
tl::expected<std::string, std::string> own_node_url(const ClusterArguments& arguments,
                                                    const std::string& host,
                                                    const std::string& printed);

}  // namespace sluice::interop::sfu

#include "sfu/cluster/cluster_arguments.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <variant>

#include "common/ip_address.h"
#include "common/redis_address.h"

namespace sluice::interop::sfu {
namespace {

// Without a cluster they have no effect. The others have defaults, which a file may repeat.
constexpr std::array kDependent = {"--cluster-url", "--cluster-token", "--cluster-network",
                                   "--cluster-ca",  "--redis-user",    "--redis-password"};

// The first one that is set for no cluster; null: there is none.
const char* without_cluster(const CLI::App& app, const ClusterOptions& options) {
  const ClusterOptions usual;
  if (options.prefix != usual.prefix) return "--cluster-name";
  if (options.puller.max_depth != usual.puller.max_depth) return "--cluster-depth";
  if (options.fan_out != usual.fan_out) return "--cluster-fan-out";
  const auto found =
      std::ranges::find_if(kDependent, [&](const char* name) { return app.count(name) != 0; });
  return found == kDependent.end() ? nullptr : *found;
}

std::string check_name(const std::string& text) {
  constexpr std::size_t kLongest = 64;
  const bool is_name = !text.empty() && text.size() <= kLongest &&
                       text.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789_-") == std::string::npos;
  return is_name ? std::string{} : "1 to 64 letters, digits, - and _";
}

bool is_any_address(const std::string& host) {
  const auto address = common::read_address(host);
  return address && std::visit(
                        [](const auto& bytes) {
                          return std::ranges::all_of(bytes, [](auto byte) { return byte == 0; });
                        },
                        address->address);
}

}  // namespace

void add_cluster_arguments(CLI::App& app, ClusterArguments& arguments) {
  ClusterOptions& options = arguments.options;
  app.add_option(
         "--cluster", arguments.registry,
         "redis:HOST:PORT: the registry of a cluster. What is published on one of its nodes "
         "can be watched on all")
      ->check([](const std::string& text) {
        return parse_redis(text) ? std::string{} : std::string{"it is redis:HOST:PORT"};
      });
  app.add_option("--cluster-url", arguments.url,
                 "URL by which the other nodes reach this one. Default: the one that is printed")
      ->check([](const std::string& text) {
        const auto url = parse_node_url(text);
        return url ? std::string{} : url.error();
      });
  const auto add_secret = [&app](const char* name, std::string& secret, const char* variable,
                                 const char* help) {
    app.add_option(name, secret, help)->envname(variable);
  };
  add_secret("--cluster-token", options.puller.token, "SLUICE_SFU_CLUSTER_TOKEN",
             "Bearer token that the nodes ask each other with");
  app.add_option("--cluster-name", options.prefix,
                 "Begins the keys in Redis, so that several clusters can share it")
      ->capture_default_str()
      ->check(check_name);
  app.add_option("--cluster-depth", options.puller.max_depth,
                 "Largest number of nodes that a stream comes over")
      ->capture_default_str()
      ->check(CLI::Range(1, 9));
  app.add_option("--cluster-fan-out", options.fan_out,
                 "Largest number of nodes that pull one stream from this one; further ones pull "
                 "from those")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--cluster-network", arguments.networks,
                 "Address or prefix (2001:db8::/32) of nodes, for HTTP and for media; may be given "
                 "several times. Default: loopback and private networks")
      ->check([](const std::string& text) {
        const auto added = NodeNetworks{}.add(text);
        return added ? std::string{} : added.error();
      });
  app.add_option("--cluster-ca", options.puller.ca_file,
                 "PEM file with the certificates that nodes with https are trusted by. Default: "
                 "those of the system");
  app.add_option("--redis-user", options.redis.user, "User of Redis. Default: none");
  add_secret("--redis-password", options.redis.password, "SLUICE_SFU_REDIS_PASSWORD",
             "Password of Redis. Default: none");
}

tl::expected<std::optional<ClusterOptions>, std::string> cluster_options(
    const CLI::App& app, const ClusterArguments& arguments) {
  if (arguments.registry.empty()) {
    const char* const name = without_cluster(app, arguments.options);
    if (name != nullptr) return tl::unexpected(std::string{name} + " needs --cluster");
    return std::nullopt;
  }
  ClusterOptions options = arguments.options;
  if (options.puller.token.empty()) {
    return tl::unexpected<std::string>("--cluster needs --cluster-token");
  }
  if (!options.redis.user.empty() && options.redis.password.empty()) {
    return tl::unexpected<std::string>("--redis-user needs --redis-password");
  }
  if (!options.puller.ca_file.empty() && !std::ifstream(options.puller.ca_file)) {
    return tl::unexpected("--cluster-ca: can't read " + options.puller.ca_file);
  }
  options.redis.address = *parse_redis(arguments.registry);
  for (const std::string& network : arguments.networks) (void)options.puller.networks.add(network);
  if (arguments.networks.empty()) options.puller.networks.add_default();
  return options;
}

tl::expected<std::string, std::string> own_node_url(const ClusterArguments& arguments,
                                                    const std::string& host,
                                                    const std::string& printed) {
  if (arguments.url.empty() && is_any_address(host)) {
    return tl::unexpected<std::string>("--cluster needs --cluster-url where --host is any address");
  }
  const auto url = parse_node_url(arguments.url.empty() ? printed : arguments.url);
  if (!url) return tl::unexpected("--cluster-url: " + url.error());
  return url->origin;
}

}  // namespace sluice::interop::sfu

// Tests of the return routability check (RFC 9853), in both versions.
#pragma once

#include "support/path_world.h"

namespace sluice::test {

using dtls::Alert;
using dtls::Buffer;
using dtls::ConfigOptions;
using dtls::ContentType;
using dtls::Discard;
using dtls::Errc;
using dtls::PathId;
using dtls::ReturnRoutability;
using dtls::Role;
using dtls::message::PathMessage;
using dtls::message::PathMessageType;

inline constexpr PathId kNew{2};
inline constexpr PathId kOther{3};

class PathTest : public ByVersion {
 protected:
  static ConfigOptions with_ids(std::optional<ReturnRoutability> kind = {}) {
    ConfigOptions options = ByVersion::options();
    options.connection_id_size = 8;
    options.return_routability = kind;
    return options;
  }
  static ConfigOptions basic() { return with_ids(ReturnRoutability::basic); }
  static ConfigOptions enhanced() { return with_ids(ReturnRoutability::enhanced); }
  static bool is_agreed(const Peer& peer) { return peer.connected->return_routability; }

  // The client's NAT has rebound, and the client sends.
  static void rebind(PathWorld& world) {
    world.rebind(kPath, kNew);
    world.send_data(Role::client);
  }
  static PathId path(PathWorld& world, Role role = Role::server) {
    return world.peer(role).connection().path();
  }
  static dtls::Statistics statistics(PathWorld& world, Role role = Role::server) {
    return world.peer(role).connection().statistics();
  }
  static std::vector<SentPathMessage> sent(PathWorld& world, Role role, PathMessageType type) {
    return world.watch(role).of(type);
  }
  static Buffer message(PathMessageType type, const dtls::message::PathCookie& cookie = {}) {
    const auto bytes = PathMessage{type, cookie}.encode();
    return {bytes.begin(), bytes.end()};
  }
  static bool has_moved(PathWorld& world, PathId to) {
    const auto& events = world.server().path_changes;
    return path(world) == to && events.size() == 1 && events.front().from == kPath &&
           events.front().to == to && statistics(world).paths_validated == 1;
  }
  // Data goes there.
  static void expect_data_to(PathWorld& world, PathId to) {
    const std::size_t before = world.client().data.size();
    EXPECT_EQ(path(world), to);
    world.send_data(Role::server);
    EXPECT_EQ(world.client().data.size(), before + 1);
    world.send_data(Role::client);
    EXPECT_FALSE(world.client().error || world.server().error);
  }
};

}  // namespace sluice::test

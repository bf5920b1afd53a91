// A client and a server between which there are several paths, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "message/path_message.h"
#include "record/record_layer.h"
#include "support/connections.h"
#include "support/record_access.h"

namespace sluice::test {

// A message of a return routability check that one side has sent.
struct SentPathMessage {
  dtls::message::PathMessage message;
  dtls::PathId path{};
  dtls::Instant time;
};

// Sees what one side sends.
class PathWatch final : public dtls::PacketObserver {
 public:
  void on_record(const dtls::ObservedRecord& record) override {
    if (record.direction != dtls::Direction::sent) return;
    if (record.type != dtls::ContentType::return_routability_check) return;
    if (const auto message = dtls::message::PathMessage::decode(record.contents)) {
      sent.push_back({*message, {}, record.time});
      is_open_ = true;
    }
  }
  void on_datagram(const dtls::ObservedDatagram& datagram) override {
    if (datagram.direction != dtls::Direction::sent) return;
    bytes_to[datagram.path] += datagram.bytes.size();
    if (is_open_) sent.back().path = datagram.path;
    is_open_ = false;
  }
  [[nodiscard]] std::vector<SentPathMessage> of(dtls::message::PathMessageType type) const {
    std::vector<SentPathMessage> some;
    std::ranges::copy_if(sent, std::back_inserter(some),
                         [&](const auto& one) { return one.message.type == type; });
    return some;
  }

  std::vector<SentPathMessage> sent;
  std::map<dtls::PathId, std::size_t> bytes_to;

 private:
  bool is_open_ = false;
};

class PathWorld {
 public:
  struct Datagram {
    dtls::Role sender{};
    dtls::PathId path{};  // as the sender calls it
    dtls::Buffer bytes = {};
  };

  PathWorld(const dtls::ConfigOptions& for_client, const dtls::ConfigOptions& for_server)
      : environments_{must(dtls::Environment::make({.packet_observer = watches_.data()})),
                      must(dtls::Environment::make({.packet_observer = &watches_[1]}))},
        configs_{make_config(for_client), make_config(for_server)},
        peers_{Peer(must(dtls::Connection::client(configs_[0], environments_[0], kPath, {}))),
               Peer(must(dtls::Connection::server(configs_[1], environments_[1], kPath, {})))} {
    join(kPath, kPath);
    run();
    EXPECT_TRUE(client().connected && server().connected);
    settle_acks();
  }
  explicit PathWorld(const dtls::ConfigOptions& both) : PathWorld(both, both) {}

  [[nodiscard]] Peer& client() { return peers_[0]; }
  [[nodiscard]] Peer& server() { return peers_[1]; }
  [[nodiscard]] Peer& peer(dtls::Role role) { return peers_[index(role)]; }
  [[nodiscard]] PathWatch& watch(dtls::Role role) { return watches_[index(role)]; }
  [[nodiscard]] const dtls::ConfigPtr& config(dtls::Role role) { return configs_[index(role)]; }
  [[nodiscard]] dtls::Environment& environment(dtls::Role role) {
    return environments_[index(role)];
  }

  // ---- paths

  // What the client sends to its path arrives on the server's path, and the reverse.
  void join(dtls::PathId clients, dtls::PathId servers) {
    to_server_[clients] = servers;
    to_client_[servers] = clients;
  }
  // A NAT gives the client's path another address: the server's old path is dead.
  void rebind(dtls::PathId clients, dtls::PathId servers) {
    to_client_.erase(to_server_.at(clients));
    join(clients, servers);
  }

  // ---- what is sent

  // A datagram with application data, which has not left yet.
  dtls::Buffer seal(dtls::Role role, std::size_t size = 20) {
    return peer(role).seal(counted(size));
  }
  // A datagram with any record.
  dtls::Buffer seal(dtls::Role role, dtls::ContentType type, dtls::Bytes contents) {
    auto& records = records_of(peer(role).connection());
    dtls::Buffer out(contents.size() + 400);
    const auto size = records.seal(records.write_epoch(), type, contents, out);
    out.resize(size.value());
    return out;
  }
  void send(dtls::Role role, dtls::Buffer datagram) {
    carry({role, peer(role).connection().path(), std::move(datagram)});
    run();
  }
  void send_data(dtls::Role role, std::size_t size = 20) { send(role, seal(role, size)); }
  // From anywhere; nothing else happens before run().
  void deliver(dtls::Role receiver, dtls::PathId path, dtls::Buffer datagram) {
    received_from_[index(receiver)][path] += datagram.size();
    Peer& to = peer(receiver);
    to.settle(to.connection().handle_datagram(datagram, path, now), now);
  }

  // ---- time

  // Carries datagrams until there are none.
  void run() {
    for (bool is_any = true; is_any;) {
      is_any = false;
      for (const dtls::Role role : kRoles) {
        for (Datagram& datagram : take(role)) {
          carry(std::move(datagram));
          is_any = true;
        }
      }
    }
  }
  // What is to be sent now.
  std::vector<Datagram> take(dtls::Role role) {
    std::vector<Datagram> all;
    dtls::Buffer out(dtls::kMaxDatagram);
    while (const auto sent = peer(role).connection().poll_transmit(out)) {
      all.push_back({role, sent->path, copy_of(dtls::Bytes(out).first(sent->size))});
    }
    peer(role).settle(dtls::Pending{}, now);
    return all;
  }
  // Timers fire in their order.
  void pass(dtls::Duration time) {
    const dtls::Instant until = now + time;
    for (;;) {
      const auto of = [&](dtls::Role role) {
        return peer(role).connection().next_timeout().value_or(dtls::Instant::max());
      };
      const auto first = std::ranges::min(kRoles, {}, of);
      if (of(first) > until) break;
      now = std::max(now, of(first));
      peer(first).settle(peer(first).connection().handle_timeout(now), now);
      run();
    }
    now = until;
  }

  // Whether a datagram is lost; null: none.
  std::function<bool(const Datagram&)> loses;
  std::vector<Datagram> to_nowhere;  // what was sent to dead paths
  dtls::Instant now;

  // The bytes of the datagrams from that path.
  [[nodiscard]] std::size_t received_from(dtls::Role role, dtls::PathId path) {
    return received_from_[index(role)][path];
  }

 private:
  static std::size_t index(dtls::Role role) { return role == dtls::Role::client ? 0 : 1; }
  static dtls::Role other(dtls::Role role) {
    return role == dtls::Role::client ? dtls::Role::server : dtls::Role::client;
  }
  void carry(Datagram datagram) {
    if (loses && loses(datagram)) return;
    const auto& paths = datagram.sender == dtls::Role::client ? to_server_ : to_client_;
    const auto to = paths.find(datagram.path);
    if (to == paths.end()) {
      to_nowhere.push_back(std::move(datagram));
    } else {
      deliver(other(datagram.sender), to->second, std::move(datagram.bytes));
    }
  }
  // Acknowledgements, and the keys of the handshake: after that both are quiet.
  void settle_acks() { pass(std::chrono::minutes{5}); }

  std::array<PathWatch, 2> watches_;
  std::array<dtls::Environment, 2> environments_;
  std::array<dtls::ConfigPtr, 2> configs_;
  std::array<Peer, 2> peers_;
  std::map<dtls::PathId, dtls::PathId> to_server_;
  std::map<dtls::PathId, dtls::PathId> to_client_;
  std::array<std::map<dtls::PathId, std::size_t>, 2> received_from_;
};

}  // namespace sluice::test

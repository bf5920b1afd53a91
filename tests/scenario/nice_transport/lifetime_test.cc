// NiceTransports that go in the middle, in a call of their listener too; and on threads of their
// own.
#include <future>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sluice/nice/glib_thread.h>

#include "scenario/nice_transport/peer.h"
#include "support/main_context.h"

namespace sluice {
namespace {

using nice::IceRole;
using test::Peer;

class NiceTransportLifetime : public testing::Test {
 public:
  std::unique_ptr<Peer> make_peer(IceRole role) {
    return std::make_unique<Peer>(environment, context.get(),
                                  test::on_loopback(role, test::make_config(environment)));
  }
  void connect() {
    test::exchange_descriptions(*a, *b);
    ASSERT_TRUE(context.run_until([&] { return a->connected() && b->connected(); }));
  }

  test::MainContext context;
  dtls::Environment environment = dtls::Environment::make().value();
  std::unique_ptr<Peer> a = make_peer(IceRole::controlling);
  std::unique_ptr<Peer> b = make_peer(IceRole::controlled);
};

TEST_F(NiceTransportLifetime, EndsBeforeAnythingBegan) { a->transport.reset(); }

TEST_F(NiceTransportLifetime, EndsWhileItGathers) {
  ASSERT_TRUE(a->transport->gather().has_value());
  a->transport.reset();
  context.run_ready();
  EXPECT_TRUE(a->candidates.empty());  // no call after its end
}

TEST_F(NiceTransportLifetime, EndsAfterTheDescriptions) {
  test::exchange_descriptions(*a, *b);
  a->transport.reset();
  context.run_ready();
  EXPECT_TRUE(a->states.empty());
}

TEST_F(NiceTransportLifetime, EndsWhenAPairIsFound) {
  test::exchange_descriptions(*a, *b);
  a->on_pair = [&] { a->transport.reset(); };
  ASSERT_TRUE(context.run_until([&] { return !a->transport; }));
  context.run_ready();
  EXPECT_FALSE(a->connected());
}

TEST_F(NiceTransportLifetime, EndsWhenItIsConnected) {
  test::exchange_descriptions(*a, *b);
  a->when_connected = [&] { a->transport.reset(); };
  ASSERT_TRUE(context.run_until([&] { return !a->transport; }));
  // Its close_notify reaches the peer, whether that was connected already or not.
  ASSERT_TRUE(context.run_until([&] { return !b->closed.empty(); }));
  EXPECT_EQ(b->closed.front().cause, nice::CloseReason::Cause::peer);
}

TEST_F(NiceTransportLifetime, EndsWithinAPacketsCall) {
  connect();
  b->when_rtp = [&] { b->transport.reset(); };
  ASSERT_TRUE(context.run_until([&, sequence = std::uint16_t{1}]() mutable {
    a->transport->send_rtp(test::make_rtp({.sequence = sequence++}));
    context.run_ready();
    return !b->transport;
  }));
  EXPECT_EQ(b->rtp.size(), 1u);
  ASSERT_TRUE(context.run_until([&] { return !a->closed.empty(); }));
  EXPECT_EQ(a->closed.front().cause, nice::CloseReason::Cause::peer);
}

TEST_F(NiceTransportLifetime, EndsWithItsEnvironmentWithinACall) {
  connect();
  // The whole session goes at once, as a server does it on a peer's last message.
  b->when_data = [&] { b->transport.reset(); };
  a->transport->send_data(test::bytes_of("bye"));
  ASSERT_TRUE(context.run_until([&] { return !b->transport; }));
}

TEST_F(NiceTransportLifetime, EndsWhenItHearsOfTheEnd) {
  connect();
  b->when_closed = [&] { b->transport.reset(); };
  a->transport->close();
  ASSERT_TRUE(context.run_until([&] { return !b->transport; }));
}

TEST_F(NiceTransportLifetime, EndsDuringARestart) {
  connect();
  ASSERT_TRUE(a->transport->restart_ice().has_value());
  ASSERT_TRUE(b->transport->set_remote_offer(a->transport->local_description()).has_value());
  a->transport.reset();
  ASSERT_TRUE(context.run_until([&] { return !b->closed.empty(); }));
  b->transport.reset();
  context.run_ready();
}

TEST_F(NiceTransportLifetime, MovesAndReplaces) {
  connect();
  nice::NiceTransport moved = std::move(*a->transport);
  EXPECT_TRUE(moved.connected());
  EXPECT_EQ(moved.send_data(test::bytes_of("moved")), nice::SendStatus::sent);
  ASSERT_TRUE(context.run_until([&] { return !b->data.empty(); }));
  moved = nice::NiceTransport::make(
              test::on_loopback(IceRole::controlling, test::make_config(environment)), environment,
              context.get(), *a)
              .value();
  EXPECT_FALSE(moved.connected());
  ASSERT_TRUE(context.run_until([&] { return !b->closed.empty(); }));
}

// One side of a call that lives on an GlibThread, with an Environment of that thread's.
struct ThreadedSide {
  explicit ThreadedSide(IceRole role) {
    thread.call([&] {
      environment.emplace(dtls::Environment::make().value());
      peer.emplace(*environment, thread.context(),
                   test::on_loopback(role, test::make_config(*environment)));
      peer->when_connected = [this] { connected.set_value(); };
      peer->when_data = [this] { got_data.set_value(); };
    });
  }
  ~ThreadedSide() {
    thread.call([&] {
      peer.reset();
      environment.reset();
    });
  }
  ThreadedSide(const ThreadedSide&) = delete;
  ThreadedSide& operator=(const ThreadedSide&) = delete;

  nice::GlibThread thread;
  std::optional<dtls::Environment> environment;
  std::optional<Peer> peer;
  std::promise<void> connected, got_data;
};

bool happens(std::promise<void>& promise) {
  return promise.get_future().wait_for(std::chrono::seconds{30}) == std::future_status::ready;
}

TEST(NiceTransportThreads, CallBetweenTwoThreads) {
  ThreadedSide a(IceRole::controlling);
  ThreadedSide b(IceRole::controlled);
  const auto offer = a.thread.call([&] {
    EXPECT_TRUE(a.peer->transport->gather().has_value());
    return a.peer->transport->local_description();
  });
  const auto answer = b.thread.call([&] {
    EXPECT_TRUE(b.peer->transport->set_remote_offer(offer).has_value());
    return b.peer->transport->local_description();
  });
  a.thread.call([&] { EXPECT_TRUE(a.peer->transport->set_remote_answer(answer).has_value()); });
  ASSERT_TRUE(happens(a.connected));
  ASSERT_TRUE(happens(b.connected));

  a.thread.post([&] { a.peer->transport->send_data(test::bytes_of("over threads")); });
  ASSERT_TRUE(happens(b.got_data));
  EXPECT_EQ(b.thread.call([&] { return b.peer->data; }), std::vector<std::string>{"over threads"});
}

TEST(NiceTransportThreads, OneThreadCarriesManySessions) {
  nice::GlibThread thread;
  constexpr std::size_t kCalls = 20;
  std::optional<dtls::Environment> environment;
  std::vector<std::unique_ptr<Peer>> peers;
  std::promise<void> all_connected;
  std::size_t connected = 0;
  thread.call([&] {
    environment.emplace(dtls::Environment::make().value());
    const auto config = test::make_config(*environment);
    for (std::size_t i = 0; i < 2 * kCalls; ++i) {
      const auto role = i % 2 == 0 ? IceRole::controlling : IceRole::controlled;
      peers.push_back(
          std::make_unique<Peer>(*environment, thread.context(), test::on_loopback(role, config)));
      peers.back()->when_connected = [&] {
        if (++connected == 2 * kCalls) all_connected.set_value();
      };
      if (i % 2 == 1) test::exchange_descriptions(*peers[i - 1], *peers[i]);
    }
  });
  EXPECT_TRUE(happens(all_connected));
  thread.call([&] {
    peers.clear();
    environment.reset();
  });
}

}  // namespace
}  // namespace sluice

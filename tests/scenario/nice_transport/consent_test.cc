// RFC 7675: a peer that is silent loses the right to be sent to; an ICE restart brings it back.
// Takes as long as libnice lets consent last, 10 s.
#include <gtest/gtest.h>

#include "scenario/nice_transport/peer.h"
#include "support/main_context.h"

namespace sluice {
namespace {

using nice::IceRole;
using nice::IceState;
using nice::SendStatus;
using test::Peer;

TEST(NiceTransportConsent, IsLostWhenThePeerIsSilentAndComesBackWithARestart) {
  test::MainContext context;
  test::MainContext halting;  // b's, which stands still for a while
  auto environment = dtls::Environment::make().value();
  Peer a(environment, context.get(),
         test::on_loopback(IceRole::controlling, test::make_config(environment)));
  Peer b(environment, halting.get(),
         test::on_loopback(IceRole::controlled, test::make_config(environment)));
  const auto both_until = [&](const std::function<bool()>& done) {
    return context.run_until([&] {
      halting.run_ready();
      g_main_context_wakeup(context.get());
      return done();
    });
  };
  test::exchange_descriptions(a, b);
  ASSERT_TRUE(both_until([&] { return a.connected() && b.connected(); }));

  ASSERT_TRUE(context.run_until([&] { return a.states.back() == IceState::failed; }));
  EXPECT_EQ(a.transport->send_rtp(test::make_rtp()), SendStatus::blocked);
  EXPECT_FALSE(a.transport->ice_statistics().selected_pair.has_value());
  EXPECT_TRUE(a.closed.empty());

  ASSERT_TRUE(a.transport->restart_ice().has_value());
  ASSERT_TRUE(b.transport->set_remote_offer(a.transport->local_description()).has_value());
  ASSERT_TRUE(a.transport->set_remote_answer(b.transport->local_description()).has_value());
  std::uint16_t sequence = 2;
  EXPECT_TRUE(both_until([&] {
    a.transport->send_rtp(test::make_rtp({.sequence = sequence++}));
    return !b.rtp.empty();
  }));
  EXPECT_EQ(a.associations(), 1u);
  EXPECT_EQ(b.associations(), 1u);
}

}  // namespace
}  // namespace sluice

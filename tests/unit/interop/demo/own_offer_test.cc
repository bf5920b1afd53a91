// Calls that the demo has offered, with a client on loopback.
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>

#include <sluice/ice_lite/description.h>
#include <sluice/nice/glib_thread.h>
#include <sluice/udp/send_batch.h>
#include <sluice/udp/socket.h>

#include "common/client/client_ice.h"
#include "common/client/media_session.h"
#include "common/clock.h"
#include "common/own_dtls.h"
#include "common/sdp/answer_frame.h"
#include "common/sdp/answer_reader.h"
#include "common/sdp/data_section.h"
#include "demo/echo_service.h"

namespace sluice::interop::demo {
namespace {

constexpr const char* kLoopback = "127.0.0.1";

// Sends what waits, and takes what comes until the next timer.
void turn(MediaSession& session, udp::Socket& socket) {
  udp::SendBatch batch;
  for (const Outgoing& outgoing : session.take()) {
    std::ranges::copy(outgoing.bytes, batch.room(outgoing.bytes.size()).begin());
    batch.commit(outgoing.bytes.size(), {.peer = outgoing.peer});
  }
  socket.send(batch);
  const auto next = session.next_timeout().value_or(common::now());
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - common::now());
  pollfd readable{.fd = socket.descriptor(), .events = POLLIN, .revents = 0};
  if (poll(&readable, 1, std::max(static_cast<int>(left.count()), 0)) > 0) {
    for (const udp::Received& datagram : socket.receive()) {
      session.handle_datagram(datagram.bytes, datagram.path.peer, common::now());
    }
  }
  session.handle_timeout(common::now());
}

class OwnOffer : public testing::TestWithParam<std::tuple<IceAgent, Setup>> {
 protected:
  OwnOffer() {
    ServiceOptions options{.agent = std::get<0>(GetParam())};
    options.ice.local_addresses = options.lite.addresses = {kLoopback};
    service_ = thread_.call([&] { return EchoService::make(options, thread_.context()).value(); });
  }
  ~OwnOffer() override {
    thread_.call([this] { service_.reset(); });
  }

  Created offer() {
    std::promise<CreateResult> made;
    thread_.call([&] {
      service_->create_offering(kLoopback,
                                [&](CreateResult result) { made.set_value(std::move(result)); });
    });
    return made.get_future().get().value();
  }
  nlohmann::json statistics(const std::string& id) {
    return nlohmann::json::parse(
        thread_.call([&] { return service_->statistics(id).value_or("null"); }));
  }

  nice::GlibThread thread_;
  std::unique_ptr<EchoService> service_;
};

// RFC 8842 section 5.3: the answerer may take either role.
TEST_P(OwnOffer, IsAnsweredInEitherRole) {
  const auto setup = std::get<1>(GetParam());
  const Created created = offer();
  Offer offered = read_offer(created.sdp).value();

  auto environment = dtls::Environment::make().value();
  const auto own_dtls = common::make_own_dtls(environment, "peer").value();
  auto socket =
      udp::Socket::bind(dtls::to_socket_address({dtls::Ipv4Address{127, 0, 0, 1}, 0})).value();
  const auto ice = make_credentials();
  SdpDocument document =
      begin_answer(offered,
                   {.ice = ice,
                    .candidates = {ice_lite::candidate({.address = socket.own()}, 0xffff)},
                    .end_of_candidates = true,
                    .setup = setup,
                    .fingerprints = {own_dtls.fingerprint}},
                   {});
  answer_data_section(document.media[0], offered.sections[0], {.max_message_size = 65536});
  const Answer answer = read_answer(write_sdp(document, 1)).value();
  const auto taken = thread_.call([&] { return service_->take_answer(created.id, answer); });
  ASSERT_TRUE(taken) << taken.error().sentence;

  // What an answer of the demo would have said.
  offered.transport.setup = setup == Setup::active ? Setup::passive : Setup::active;
  auto candidates = usable_candidates(offered.transport.candidates, socket.own());
  auto session = MediaSession::make({.dtls = own_dtls.config,
                                     .ice = ice,
                                     .answer = offered,
                                     .candidates = std::move(candidates)},
                                    environment, common::now())
                     .value();
  while (!session.connected_at() && session.end().empty()) {  // limited by ctest's timeout
    turn(session, socket);
  }
  EXPECT_EQ(session.end(), "");
  while (statistics(created.id)["state"] == "connecting") turn(session, socket);
  const auto json = statistics(created.id);
  EXPECT_EQ(json["state"], "connected") << json;
}

INSTANTIATE_TEST_SUITE_P(Agents, OwnOffer,
                         testing::Combine(testing::Values(IceAgent::lite, IceAgent::libnice),
                                          testing::Values(Setup::active, Setup::passive)));

}  // namespace
}  // namespace sluice::interop::demo

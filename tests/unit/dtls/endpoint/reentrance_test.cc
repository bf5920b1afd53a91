// Functions given to Endpoint::apply() that use the Endpoint, and end their own connection.
#include <gtest/gtest.h>

#include <stdexcept>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoint_host.h"

namespace sluice::test {
namespace {

using dtls::Connection;
using dtls::ConnectionHandle;
using dtls::EndReason;
using dtls::Pending;
using dtls::Result;

class Reentrance : public ByVersion {
 protected:
  Peer connect(const dtls::UdpPath& path) {
    Peer peer = make_client(make_config(options()));
    exchange(peer, path, host_);
    EXPECT_TRUE(works(peer, path, host_));
    return peer;
  }
  template <class Function>
  Result<Pending> apply(Function&& function) {
    return host_.endpoint.apply(handle_, std::forward<Function>(function));
  }
  // All outputs are polled, also the Ended, so that nothing but a call in progress needs the slot.
  void drain() {
    host_.settle({});
    static_cast<void>(host_.take_datagrams());
  }
  // It is gone, and another that may have taken its slot works.
  void expect_gone(EndReason reason) {
    drain();
    EXPECT_EQ(host_.endpoint.find(handle_), nullptr);
    EXPECT_EQ(host_.endpoint.size(), 1U);
    EXPECT_EQ(host_.endpoint.statistics().count(reason), 1U);
    ASSERT_TRUE(host_.known[handle_].ended);
    EXPECT_EQ(host_.known[handle_].ended->reason, reason);
    EXPECT_EQ(apply([](Connection& c) { return c.close({}); }).error().code, dtls::Errc::closed);
    EXPECT_TRUE(works(other_, path_of(2), host_));
    Peer next = connect(path_of(3));
    EXPECT_TRUE(works(next, path_of(3), host_));
    EXPECT_EQ(host_.endpoint.size(), 2U);
  }

  EndpointHost host_{make_config(options())};
  Peer peer_ = connect(path_of(1));
  ConnectionHandle handle_ = *host_.endpoint.find(path_of(1));
  Peer other_ = connect(path_of(2));
};

TEST_P(Reentrance, AFunctionMayAbortItsConnection) {
  const auto outcome = apply([&](Connection& connection) {
    must(host_.endpoint.abort(handle_).map([](Pending) {}));
    EXPECT_TRUE(connection.connected()) << "it exists until the function returns";
    return connection.handle_timeout({});
  });
  EXPECT_TRUE(outcome);
  expect_gone(EndReason::aborted);
}

TEST_P(Reentrance, AFunctionMayAbortAndDrain) {
  const auto outcome = apply([&](Connection& connection) {
    must(host_.endpoint.abort(handle_).map([](Pending) {}));
    drain();
    EXPECT_EQ(host_.endpoint.find(handle_), nullptr);
    // Nothing takes the slot while the function may use the connection.
    const Peer newcomer = connect(path_of(4));
    EXPECT_NE(dtls::slot_of(*host_.endpoint.find(path_of(4))), dtls::slot_of(handle_));
    must(host_.endpoint.abort(*host_.endpoint.find(path_of(4))).map([](Pending) {}));
    drain();
    return connection.close({});
  });
  EXPECT_TRUE(outcome);
  EXPECT_EQ(host_.endpoint.statistics().count(EndReason::aborted), 2U);
  EXPECT_TRUE(works(other_, path_of(2), host_));
  EXPECT_EQ(host_.endpoint.size(), 1U);
  // The slot is used again.
  const Peer again = connect(path_of(5));
  EXPECT_LT(dtls::slot_of(*host_.endpoint.find(path_of(5))), 3U);
}

TEST_P(Reentrance, AFunctionMayCloseItsConnection) {
  const auto outcome = apply([&](Connection& connection) {
    must(host_.endpoint.close(handle_, {}).map([](Pending) {}));
    for (auto& sent : host_.take_datagrams()) peer_.receive(std::move(sent.datagram), {});
    return connection.handle_timeout({});
  });
  EXPECT_TRUE(outcome);
  EXPECT_TRUE(peer_.closed);
  expect_gone(EndReason::closed);
}

TEST_P(Reentrance, ADatagramMayEndItMeanwhile) {
  must(peer_.connection().close({}).map([](Pending) {}));
  const auto outcome = apply([&](Connection& connection) {
    for (auto& datagram : peer_.take_datagrams()) host_.receive(std::move(datagram), path_of(1));
    drain();
    return connection.handle_timeout({});
  });
  EXPECT_TRUE(outcome);
  expect_gone(EndReason::closed_by_peer);
}

TEST_P(Reentrance, AnErrorOfTheFunctionIsReturned) {
  const auto outcome = apply([&](Connection& /*connection*/) -> Result<Pending> {
    must(host_.endpoint.abort(handle_).map([](Pending) {}));
    return tl::unexpected(dtls::Error{dtls::Errc::invalid_argument});
  });
  EXPECT_EQ(outcome.error().code, dtls::Errc::invalid_argument);
  expect_gone(EndReason::aborted);
}

TEST_P(Reentrance, CallsMayBeNested) {
  const auto outcome = apply([&](Connection& outer) {
    const auto inner = apply([&](Connection& same) {
      EXPECT_EQ(&same, &outer);
      must(host_.endpoint.abort(handle_).map([](Pending) {}));
      drain();
      return same.handle_timeout({});
    });
    EXPECT_TRUE(inner);
    return outer.handle_timeout({});
  });
  EXPECT_TRUE(outcome);
  expect_gone(EndReason::aborted);
}

TEST_P(Reentrance, AFunctionThatThrowsKeepsNothing) {
  EXPECT_THROW(static_cast<void>(apply([&](Connection& /*connection*/) -> Result<Pending> {
                 must(host_.endpoint.abort(handle_).map([](Pending) {}));
                 throw std::runtime_error("thrown");
               })),
               std::runtime_error);
  expect_gone(EndReason::aborted);
}

TEST_P(Reentrance, AFunctionMayEndAnother) {
  const auto outcome = apply([&](Connection& connection) {
    must(host_.endpoint.abort(*host_.endpoint.find(path_of(2))).map([](Pending) {}));
    drain();
    return connection.handle_timeout({});
  });
  EXPECT_TRUE(outcome);
  EXPECT_TRUE(works(peer_, path_of(1), host_));
  EXPECT_EQ(host_.endpoint.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Versions, Reentrance, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test

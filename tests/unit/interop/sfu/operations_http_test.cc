// /healthz, /sessions and /metrics over HTTP on loopback: what they say, and to whom.
#include "sfu/operations/operations_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <array>
#include <mutex>
#include <string>
#include <vector>

#include "http_fixture.h"
#include "sfu/operations/counter_table.h"
#include "sfu/operations/prometheus_text.h"

namespace sluice::interop::sfu {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr std::array kReports = {"/sessions", "/metrics"};

class OperationsTest : public SfuHttpTest {
 protected:
  int status(const std::string& path, const httplib::Headers& headers) {
    return client_->Get(path, headers)->status;
  }
  std::string metrics() { return client_->Get("/metrics")->body; }
};

TEST_F(OperationsTest, MetricsHaveTheTypeOfPrometheus) {
  const auto response = client_->Get("/metrics");
  ASSERT_EQ(response->status, 200);
  EXPECT_EQ(response->get_header_value("Content-Type"), kPrometheusType);
  EXPECT_EQ(response->get_header_value("Cache-Control"), "no-store");
}

TEST_F(OperationsTest, MetricsCountSessions) {
  EXPECT_THAT(metrics(), HasSubstr("\nsluice_sfu_rooms 0\n"));
  post("/whip/room");
  post("/whep/room");
  post("/whep/empty");
  const auto text = metrics();
  EXPECT_THAT(text, HasSubstr("\nsluice_sfu_rooms 1\n"));
  EXPECT_THAT(text,
              HasSubstr("\nsluice_sfu_sessions{role=\"publisher\",state=\"connecting\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_sfu_sessions{role=\"viewer\",state=\"connected\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_sfu_publishers_created_total 1\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_sfu_refused_sessions_total{reason=\"no_publisher\"} 1\n"));
}

TEST_F(OperationsTest, BothReportsHaveEveryCounter) {
  const auto text = metrics();
  const auto json = sessions();
  for (const NamedCounter& counter : kCounters) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string{counter.metric} + " 0\n"));
    EXPECT_EQ(json["counters"][std::string{counter.key}], 0) << counter.key;
  }
  for (const auto name : kRefusalNames) {
    EXPECT_THAT(text, HasSubstr("refused_sessions_total{reason=\"" + std::string{name} + "\"} 0"));
  }
  for (const auto name : kEndNames) {
    EXPECT_THAT(text, HasSubstr("ended_sessions_total{reason=\"" + std::string{name} + "\"} 0"));
  }
}

TEST_F(OperationsTest, ATokenIsNeededWhereThereIsOne) {
  start({}, {.watch_token = "view", .admin_token = "admin"});
  for (const auto* path : kReports) {
    EXPECT_EQ(status(path, {}), 401) << path;
    EXPECT_EQ(status(path, token("view")), 401) << path;
    EXPECT_EQ(status(path, token("admin")), 200) << path;
    // The token is enough, wherever the request comes from.
    auto headers = token("admin");
    headers.emplace("X-Forwarded-For", "192.0.2.1");
    headers.emplace("Host", "sfu.example");
    EXPECT_EQ(status(path, headers), 200) << path;
  }
  EXPECT_EQ(status("/healthz", {}), 200);
}

// A page of evil.example can have this name resolved to 127.0.0.1 and then be of the same origin.
TEST_F(OperationsTest, TheHostMustBeThisMachine) {
  for (const auto* path : kReports) {
    for (const auto* name : {"localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:8080", "[::1]",
                             "[::1]:80", "[::ffff:127.0.0.1]"}) {
      EXPECT_EQ(status(path, {{"Host", name}}), 200) << name;
    }
    for (const auto* name :
         {"evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example",
          "192.0.2.1", "[2001:db8::1]", "[", "[]", ":", "", "0.0.0.0", "::1"}) {
      EXPECT_EQ(status(path, {{"Host", name}}), 403) << name;
    }
  }
}

TEST_F(OperationsTest, TheHostMayBeTheOneThatIsServed) {
  start({}, {.http = {.host = "localhost"}});
  EXPECT_EQ(status("/metrics", {{"Host", "localhost"}}), 200);
  start({}, {.http = {.host = "0.0.0.0"}});
  EXPECT_EQ(status("/metrics", {{"Host", "0.0.0.0:80"}}), 200);
  EXPECT_EQ(status("/metrics", {{"Host", "192.0.2.1"}}), 403);
}

TEST_F(OperationsTest, ForwardedRequestsAreNotOfThisMachine) {
  for (const auto* path : kReports) {
    EXPECT_EQ(status(path, {{"Forwarded", "for=127.0.0.1"}}), 403);
    EXPECT_EQ(status(path, {{"X-Forwarded-For", "127.0.0.1"}}), 403);
    EXPECT_EQ(status(path, {{"X-Real-IP", "127.0.0.1"}}), 403);
    EXPECT_EQ(status(path, {{"Via", "1.1 proxy"}}), 403);
  }
}

class ProxyTest : public OperationsTest {
 protected:
  // Every address of loopback is one of a proxy.
  static SfuHttpOptions behind_proxies() {
    SfuHttpOptions options;
    EXPECT_TRUE(options.trusted_proxies.add("127.0.0.0/8"));
    return options;
  }
};

TEST_F(ProxyTest, EachClientHasItsOwnLimit) {
  start({.sfu = {.max_sessions_per_address = 1}}, behind_proxies());
  const auto publish = [this](const char* clients) {
    return post("/whip/room", media_offer(), kSdp, {{"X-Forwarded-For", clients}})->status;
  };
  EXPECT_EQ(publish("192.0.2.1"), 201);
  EXPECT_EQ(publish("192.0.2.1"), 503);
  EXPECT_EQ(publish("198.51.100.1, 192.0.2.1"), 503) << "what a client says itself has no effect";
  EXPECT_EQ(publish("192.0.2.1, 192.0.2.2"), 201);
  EXPECT_EQ(publish("unknown"), 400);
  EXPECT_EQ(sessions()["sessions"].size(), 2U);
}

TEST_F(ProxyTest, MayHaveAnyNumberOfConnections) {
  for (const bool is_proxy : {false, true}) {
    SfuHttpOptions options = is_proxy ? behind_proxies() : SfuHttpOptions{};
    options.http.max_connections_per_address = 1;
    start({}, options);
    client_->set_keep_alive(true);
    ASSERT_EQ(client_->Get("/healthz")->status, 200);
    httplib::Client second("127.0.0.1", server_->port());
    const auto answer = second.Get("/healthz");
    EXPECT_EQ(answer != nullptr, is_proxy);
  }
}

class LogTest : public OperationsTest {
 protected:
  void SetUp() override {
    const Log log = [this](const LogEntry& entry) {
      const std::scoped_lock lock(mutex_);
      lines_.push_back(log_line(entry, LogFormat::logfmt, "now"));
    };
    start({.sfu = {.max_publishers = 1, .log = log}}, {.log = log});
  }
  void TearDown() override { lines(); }
  // The response is logged after it was sent: the end of the server waits for it.
  std::vector<std::string> lines() {
    client_.reset();
    server_.reset();
    loop_.reset();
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

TEST_F(LogTest, HasSessionsWithoutTheirSecrets) {
  const auto location = post("/whip/room")->get_header_value("Location");
  client_->Delete(location);
  const auto id = location.substr(location.rfind('/') + 1);
  const auto found = lines();
  const auto session = "session=" + id.substr(0, 8) + " role=publisher room=room address=127.0.0.1";
  EXPECT_THAT(found, Contains("time=now level=info event=session_started " + session));
  EXPECT_THAT(found,
              Contains("time=now level=info event=session_ended " + session + " reason=deleted"));
  EXPECT_THAT(found, Contains("time=now level=debug event=request method=DELETE path=/session/" +
                              id.substr(0, 8) + " status=200 address=127.0.0.1"));
  for (const auto& line : found) EXPECT_EQ(line.find(id), std::string::npos) << line;
}

// Browsers take compressed answers.
TEST_F(LogTest, HasRefusalsWithTheirReason) {
  client_->Get("/metrics", {{"Host", "evil.example"}, {"Accept-Encoding", "br, gzip"}});
  EXPECT_THAT(lines(),
              Contains("time=now level=info event=request method=GET path=/metrics status=403 "
                       "address=127.0.0.1 reason=\"The Host of the request is no name of this "
                       "machine.\""));
}

}  // namespace
}  // namespace sluice::interop::sfu

#include "sfu/operations/operations_http.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "sfu/operations/metrics.h"
#include "sfu/operations/prometheus_text.h"
#include "sfu/operations/sessions_json.h"
#include "sfu/operations/sessions_snapshot.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Request;
using httplib::Response;

// What each worker tells, one after the other. Empty, with the refusal in the response: one does
// not answer.
template <class Report, class Look>
std::optional<std::vector<Report>> ask_all(Response& response, const AskWorkers& workers,
                                           const Look& look) {
  std::vector<Report> reports(workers.media.workers());
  for (std::size_t worker = 0; worker < reports.size(); ++worker) {
    if (!workers.ask(worker, response,
                     [&, asked_at = common::now()](const Sfu& sfu, dtls::Instant now) {
                       reports[worker] = look(sfu, now, now - asked_at);
                     })) {
      return std::nullopt;
    }
  }
  return reports;
}

// How long the work waits is a measure of how busy the media's thread is.
std::optional<std::string> metrics(Response& response, const AskWorkers& workers) {
  auto reports = ask_all<WorkerReport>(
      response, workers,
      [](const Sfu& sfu, dtls::Instant, dtls::Duration waited) { return report_of(sfu, waited); });
  if (!reports) return std::nullopt;
  return media_metrics(*std::move(reports), workers.media.dropped()) + process_metrics();
}

// 1,000 sessions are 700 kB of JSON, which take 9 ms: too long for the media's thread, which only
// copies the numbers.
std::optional<std::string> sessions(Response& response, const AskWorkers& workers) {
  auto snapshots = ask_all<SessionsSnapshot>(
      response, workers,
      [](const Sfu& sfu, dtls::Instant now, dtls::Duration) { return take_snapshot(sfu, now); });
  if (!snapshots) return std::nullopt;
  return sessions_json(joined(*std::move(snapshots)), workers.media.dropped());
}

}  // namespace

void add_operations(httplib::Server& routes, const OperatorAccess& access, const AskWorkers& ask) {
  routes.Get("/healthz", [ask](const Request& /*request*/, Response& response) {
    const auto are_alive = ask_all<bool>(
        response, ask, [](const Sfu&, dtls::Instant, dtls::Duration) { return true; });
    if (are_alive) response.set_content("The server is up.\n", "text/plain; charset=utf-8");
  });
  // `report`: of the response; empty with the refusal in it.
  const auto add_report = [&](const char* path, const char* type, const auto& report) {
    routes.Get(path, [access, type, report](const Request& request, Response& response) {
      if (!access.admit(request, response)) return;
      const std::optional<std::string> text = report(response);
      if (!text) return;
      response.set_header("Cache-Control", "no-store");
      response.set_content(*text, type);
    });
  };
  add_report("/sessions", "application/json",
             [ask](Response& response) { return sessions(response, ask); });
  add_report("/metrics", kPrometheusType,
             [ask](Response& response) { return metrics(response, ask); });
}

}  // namespace sluice::interop::sfu
